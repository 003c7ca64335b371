// image.c - there are no images and no pipes, and the device says so.
#include "gpu.h"

static cl_mem no_image(cl_int *status) {
  if (status) *status = CL_INVALID_OPERATION;
  return NULL;
}

cl_mem gpu_clCreateImage(cl_context context, cl_bitfield flags, const void *format, const void *description,
                         void *pointer, cl_int *status) {
  (void)context, (void)flags, (void)format, (void)description, (void)pointer;
  return no_image(status);
}

cl_mem gpu_clCreateImageWithProperties(cl_context context, const cl_bitfield *properties, cl_bitfield flags,
                                       const void *format, const void *description, void *pointer, cl_int *status) {
  (void)context, (void)properties, (void)flags, (void)format, (void)description, (void)pointer;
  return no_image(status);
}

cl_mem gpu_clCreateImage2D(cl_context context, cl_bitfield flags, const void *format, size_t w, size_t h, size_t row,
                           void *pointer, cl_int *status) {
  (void)context, (void)flags, (void)format, (void)w, (void)h, (void)row, (void)pointer;
  return no_image(status);
}

cl_mem gpu_clCreateImage3D(cl_context context, cl_bitfield flags, const void *format, size_t w, size_t h, size_t d,
                           size_t row, size_t slice, void *pointer, cl_int *status) {
  (void)context, (void)flags, (void)format, (void)w, (void)h, (void)d, (void)row, (void)slice, (void)pointer;
  return no_image(status);
}

cl_mem gpu_clCreatePipe(cl_context context, cl_bitfield flags, cl_uint bytes, cl_uint packets,
                        const cl_properties *properties, cl_int *status) {
  (void)context, (void)flags, (void)bytes, (void)packets, (void)properties;
  return no_image(status);
}

cl_int gpu_clGetSupportedImageFormats(cl_context context, cl_bitfield flags, cl_uint type, cl_uint room, void *formats,
                                      cl_uint *count) {
  (void)context, (void)flags, (void)type, (void)room, (void)formats;
  if (count) *count = 0;
  return CL_SUCCESS;
}
