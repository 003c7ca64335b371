// tree.cl - look words up in a binary search tree that Java built in the managed heap, through Java's own pointers.
// In: the tree (root is a heap address, 0 = empty); word q of the queries is words[offset[q] .. offset[q + 1]),
//     its order key is hash[q]; offset[count + 1], hash[count].
// Out: found[count], the node's value, or TREE_ABSENT, or TREE_TOO_DEEP after max_depth nodes without an answer.
// Grid: one work-item per query; the global size may be rounded up, any local size.
// Needs: OpenCL C 1.2, hmm.clh (aperture).   Moves: about 32 bytes per node visited, and each word found twice.
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

struct tree_node {
    ulong left;
    ulong right;
    ulong hash;
    uint length;
    int value;
};

// Below, at or above zero: the query comes before, is, or comes after the word of the node.
static int word_compare(global const uchar *query, const ulong query_length, global const uchar *word,
                        const uint length) {
    const ulong common = min(query_length, (ulong)length);
    for (ulong i = 0; i < common; i++) {
        const int difference = (int)query[i] - (int)word[i];
        if (difference != 0) {
            return difference;
        }
    }
    return query_length < length ? -1 : query_length > length;
}

kernel void tree_search(HMM_HEAP_CONST, const ulong root, global const uchar *words, global const ulong *offset,
                        global const ulong *hash, global int *found, const uint count, const uint max_depth) {
    const size_t q = get_global_id(0);
    if (q >= count) {
        return;
    }
    global const uchar *query = words + offset[q];
    const ulong query_length = offset[q + 1] - offset[q];
    const ulong query_hash = hash[q];

    int answer = TREE_ABSENT;
    ulong at = root;
    for (uint depth = 0; at != 0; depth++) {
        if (depth == max_depth) {           // a tree that is damaged or longer than promised must not hang the device
            answer = TREE_TOO_DEEP;
            break;
        }
        global const struct tree_node *node = HMM_CONST_PTR(struct tree_node, at);
        int order = query_hash < node->hash ? -1 : query_hash > node->hash;
        if (order == 0) {
            order = word_compare(query, query_length, (global const uchar *)(node + 1), node->length);
        }
        if (order == 0) {
            answer = node->value;
            break;
        }
        at = order < 0 ? node->left : node->right;
    }
    found[q] = answer;
}
