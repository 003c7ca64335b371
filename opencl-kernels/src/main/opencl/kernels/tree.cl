// tree.cl - look words up in a binary search tree that Java built in the managed heap, through Java's own pointers.
// In: the tree (root is a heap address, 0 = empty); word q of the queries is words[offset[q] .. offset[q + 1]),
//     its order key is hash[q]; offset[count + 1], hash[count].
// Out: found[count], the node's value, or TREE_ABSENT, or TREE_TOO_DEEP after max_depth nodes without an answer.
// Grid: one work-item per query; the global size may be rounded up, any local size.
// Needs: OpenCL C 1.2, hmm.clh (aperture, paged or plain; in paged form the nodes that a query visits lie on the
//     device at the same time).   Moves: about 32 bytes per node visited, and each word found twice.
// Oracle: TreeOracle.java
//
// A node, 8-byte aligned, little-endian as the host writes it. hash is any 64-bit hash of the word, the same one for
// nodes and queries; the kernel never computes it:
//
//   offset  0        8         16       24       28      32            32 + length
//          +--------+---------+--------+--------+-------+-------------+
//          | left   | right   | hash   | length | value | word bytes  |
//          | ulong  | ulong   | ulong  | uint   | int   | length * 1  |
//          +--------+---------+--------+--------+-------+-------------+
//          heap addresses, 0 = no child         value >= 0
//
// Order: by hash (unsigned), then by the bytes of the word (unsigned, the shorter first when one starts the other).
// All words in the left subtree come before the node's, all in the right one after it. Equal hashes are settled by the
// real bytes, so a collision costs time and never an answer.
#include "hmm.clh"

#define TREE_ABSENT (-1)
#define TREE_TOO_DEEP (-2)

// Nodes are as aligned as their widest field, so that a node may lie across two pages, but none of these does.
#define TREE_LEFT 0
#define TREE_RIGHT 8
#define TREE_HASH 16
#define TREE_LENGTH 24
#define TREE_VALUE 28
#define TREE_WORD 32

// Below, at or above zero: the query comes before, is, or comes after the word at `word`. Nothing, and missing is set,
// if a part of the word is not on the device.
static int word_compare(HMM_HEAP_CONST, global const uchar *query, const ulong query_length, const ulong word,
                        const uint length, bool *missing) {
    const ulong common = min(query_length, (ulong)length);
    for (ulong done = 0, run; done < common; done += run) {
        global const uchar *part = HMM_READ_RUN(uchar, word + done, common - done, &run);
        if (!part) {
            *missing = true;
            return 0;
        }
        for (ulong i = 0; i < run; i++) {
            const int difference = (int)query[done + i] - (int)part[i];
            if (difference != 0) {
                return difference;
            }
        }
    }
    return query_length < length ? -1 : query_length > length;
}

kernel void tree_search(HMM_HEAP_CONST, const ulong root, global const uchar *words, global const ulong *offset,
                        global const ulong *hash, global int *found, const uint count, const uint max_depth) {
    HMM_BEGIN;
    const size_t q = get_global_id(0);
    if (q < count) {
        global const uchar *query = words + offset[q];
        const ulong query_length = offset[q + 1] - offset[q];
        const ulong query_hash = hash[q];
        hmm_read_cache page = HMM_NO_PAGE;

        int answer = TREE_ABSENT;
        ulong at = root;
        for (uint depth = 0; at != 0; depth++) {
            if (depth == max_depth) {       // a tree that is damaged or longer than promised must not hang the device
                answer = TREE_TOO_DEEP;
                break;
            }
            global const ulong *node_hash = HMM_READ_CACHED(ulong, at + TREE_HASH, &page);
            if (!node_hash) {
                return;
            }
            int order = query_hash < *node_hash ? -1 : query_hash > *node_hash;
            if (order == 0) {
                global const uint *length = HMM_READ_CACHED(uint, at + TREE_LENGTH, &page);
                bool missing = !length;
                if (!missing) {
                    order = word_compare(HMM_HEAP_ARG, query, query_length, at + TREE_WORD, *length, &missing);
                }
                if (missing) {
                    return;
                }
            }
            if (order == 0) {
                global const int *value = HMM_READ_CACHED(int, at + TREE_VALUE, &page);
                if (!value) {
                    return;
                }
                answer = *value;
                break;
            }
            global const ulong *left = HMM_READ_CACHED(ulong, at + TREE_LEFT, &page);
            global const ulong *right = HMM_READ_CACHED(ulong, at + TREE_RIGHT, &page);
            if (!left || !right) {
                return;
            }
            at = order < 0 ? *left : *right;
        }
        found[q] = answer;
    }
    HMM_END;
}
