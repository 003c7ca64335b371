// handshake.cl - a kernel that talks with the host while it runs, through fine-grained shared memory with atomics.
// In: rounds.   In, Out: flags[0], set by the host, flags[16], set here; both 0 before; ended[0].   Oracle: SharingOracle.java
// for the rest of that benchmark; here the other half of the talk is the oracle, in hmm bench svm
// Grid: one work-item.
// Needs: OpenCL C 2.0 or 3.0 with atomics; an older compiler finds no kernel here.
// Moves: one line each way per round.
#if __OPENCL_C_VERSION__ >= 200

// POCL's device has the wider scope and its compiler does not know it; on a device that is the processor both are the same.
#if __OPENCL_C_VERSION__ >= 300 && !defined(__opencl_c_atomic_scope_all_devices)
#define HMM_SCOPE memory_scope_device
#else
#define HMM_SCOPE memory_scope_all_svm_devices
#endif

// In each round r = 1, 2, ... waits until flags[0] is r, then sets flags[16] to r. ended[0] = rounds that were answered;
// fewer than `rounds` if flags[0] became negative, or the host let it wait for `patience` looks: a device must not hang because its host has gone.
kernel void handshake(volatile global atomic_int *flags, global int *ended, const int rounds, const ulong patience) {
    int answered = 0;
    for (int r = 1; r <= rounds; r++) {
        int asked = 0;
        for (ulong looks = 0; asked != r && asked >= 0 && looks < patience; looks++) {
            asked = atomic_load_explicit(flags, memory_order_acquire, HMM_SCOPE);
        }
        if (asked != r) {
            break;
        }
        atomic_store_explicit(flags + 16, r, memory_order_release, HMM_SCOPE);
        answered = r;
    }
    ended[0] = answered;
}
#endif
