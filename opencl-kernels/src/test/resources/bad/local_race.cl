// Work-items read what their neighbours write, with no barrier in between.
kernel void bad(global int *a) {
    local int shared[4];
    shared[get_local_id(0)] = 1;
    a[get_global_id(0)] = shared[3 - get_local_id(0)];
}
