// matmul.cl - the product of two square matrices, tile by tile through local memory.
// In: a[n * n], b[n * n], row-major.   Out: r[n * n] = a * b; r must be neither a nor b.   Any n, edges are guarded.
// Grid: a work-group per tile of r and 8 x 8 results per work-item: local size {HMM_WG_EDGE, HMM_WG_EDGE}, global size
//       {groups * HMM_WG_EDGE, groups * HMM_WG_EDGE} with groups = ceil(n / (8 * HMM_WG_EDGE)).
//       With the defaults: local {8, 8}, global {ceil(n / 64) * 8, ceil(n / 64) * 8}.
// Needs: OpenCL C 1.2, 16.6 kB of local memory.   Moves: 8 * n * n * groups bytes in, 4 * n * n out.
// Oracle: MatmulOracle.java
#ifndef HMM_WG_EDGE
#define HMM_WG_EDGE 8         // work-items along each edge of a tile
#endif
#ifndef HMM_TILE_K
#define HMM_TILE_K 32         // columns of a (rows of b) held in local memory at a time
#endif
#define BLOCK 8               // results per work-item along each edge: rows, and the lanes of a float8
#define TILE (BLOCK * HMM_WG_EDGE)

// The work-group copies rows x columns from a corner of an n x n matrix; what lies outside reads as 0 and adds nothing.
static void tile_load(local float *tile, const int rows, const int columns, const int pitch,
                      global const float *matrix, const int row, const int column, const int n) {
    const int me = get_local_id(1) * HMM_WG_EDGE + get_local_id(0);
    for (int i = me; i < rows * columns; i += HMM_WG_EDGE * HMM_WG_EDGE) {
        const int y = i / columns;
        const int x = i % columns;
        const bool inside = row + y < n && column + x < n;
        tile[y * pitch + x] = inside ? matrix[(size_t)(row + y) * n + column + x] : 0.0f;
    }
}

kernel __attribute__((reqd_work_group_size(HMM_WG_EDGE, HMM_WG_EDGE, 1)))
void mul_mat(global float *r, global const float *a, global const float *b, const int n) {
    local float a_tile[TILE][HMM_TILE_K + 1];                   // one more, so that rows start in different banks
    local float8 b_tile[HMM_TILE_K][HMM_WG_EDGE];
    const int x = get_local_id(0);
    const int y = get_local_id(1);
    const int tile_row = get_group_id(1) * TILE;
    const int tile_column = get_group_id(0) * TILE;

    float8 sum[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        sum[i] = 0.0f;
    }
    for (int k0 = 0; k0 < n; k0 += HMM_TILE_K) {
        tile_load(&a_tile[0][0], TILE, HMM_TILE_K, HMM_TILE_K + 1, a, tile_row, k0, n);
        tile_load((local float *)b_tile, HMM_TILE_K, TILE, TILE, b, k0, tile_column, n);
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll 4
        for (int k = 0; k < HMM_TILE_K; k++) {
            const float8 b_row = b_tile[k][x];
            #pragma unroll
            for (int i = 0; i < BLOCK; i++) {
                sum[i] += a_tile[y * BLOCK + i][k] * b_row;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int column = tile_column + x * BLOCK;
    #pragma unroll
    for (int i = 0; i < BLOCK; i++) {
        const int row = tile_row + y * BLOCK + i;
        if (row >= n) {
            break;
        }
        global float *to = r + (size_t)row * n + column;
        if (column + BLOCK <= n) {
            vstore8(sum[i], 0, to);
        } else {
            const float lane[BLOCK] = {sum[i].s0, sum[i].s1, sum[i].s2, sum[i].s3,
                                       sum[i].s4, sum[i].s5, sum[i].s6, sum[i].s7};
            for (int j = 0; column + j < n; j++) {
                to[j] = lane[j];
            }
        }
    }
}
