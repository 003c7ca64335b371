// real_cl.h - devices of a heap that are a real driver's, with the emulated GPU before it: the first ones that OpenCL's loader finds, with a context each.
#ifndef REAL_CL_H
#define REAL_CL_H

#include "heap.h"
#include "opencl.h"

extern const struct driver real_driver;

bool open_real(const char *runs); // runs: the file runs.cl of opencl-kernels. False if there is no device
void close_real(void);            // whatever was made of it is gone
cl_context real_context(unsigned device);
cl_kernel real_kernel(unsigned device, const char *name); // of ours below, or of runs.cl
cl_mem real_part(void *memory, size_t offset, size_t bytes);
cl_mem real_buffer(unsigned device, size_t bytes);
bool real_read(unsigned device, cl_mem memory, void *to, size_t bytes); // false if the device does not do it
int real_end(void *event); // waits, and returns how it has ended; the reference is gone then

#endif
