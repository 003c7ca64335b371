// device-contract.cl - the smallest kernels that show what a launch passed. Grid: one work-item per element.
// Needs: OpenCL C 1.2.   Oracle: DeviceContract.java

// out[i] = value, for the first n.
kernel void fill(global uint *out, uint value, uint n)
{
    size_t i = get_global_id(0);
    if (i < n) {
        out[i] = value;
    }
}

// out[i] += in[i], for the first n.
kernel void add(global uint *out, const global uint *in, uint n)
{
    size_t i = get_global_id(0);
    if (i < n) {
        out[i] += in[i];
    }
}

// out[i] = table[i % 4] * factor.x + factor.y
kernel void scale(global float *out, constant float *table, float2 factor)
{
    size_t i = get_global_id(0);
    out[i] = table[i % 4] * factor.x + factor.y;
}

// Turns the elements of each work-group round, through local memory of one uint per work-item.
kernel void reverse(global uint *data, local uint *scratch)
{
    size_t l = get_local_id(0);
    scratch[l] = data[get_global_id(0)];
    barrier(CLK_LOCAL_MEM_FENCE);
    data[get_global_id(0)] = scratch[get_local_size(0) - 1 - l];
}

// out[z][y][x] = the place of the work-item
kernel void place(global uint *out)
{
    size_t x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    out[(z * get_global_size(1) + y) * get_global_size(0) + x] = (uint)(x + 100 * y + 10000 * z);
}

// out[i] = i / 8, which only work-groups of eight know.
kernel __attribute__((reqd_work_group_size(8, 1, 1))) void eights(global uint *out)
{
    out[get_global_id(0)] = (uint)get_group_id(0);
}

// out[i] = 3 * i, through two pieces of local memory.
kernel void two_locals(global uint *out, local uint *a, local uint *b)
{
    size_t l = get_local_id(0);
    a[l] = (uint)get_global_id(0);
    b[l] = 2 * a[l];
    out[get_global_id(0)] = a[l] + b[l];
}
