// The first work-items of both groups write the same element, even if the same number.
kernel void bad(global int *a) {
    if (get_local_id(0) == 0) {
        a[0] = 1;
    }
}
