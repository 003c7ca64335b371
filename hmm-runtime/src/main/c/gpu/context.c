// context.c - devices, contexts, and programs, which matter to us by their references and by how they were built.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

static struct device devices[MAX_DEVICES];
static unsigned device_count;

struct device *device_of(cl_device_id id) {
  for (unsigned i = 0; i < device_count; i++) {
    if (devices[i].id == id) return &devices[i];
  }
  if (device_count == MAX_DEVICES) return NULL;
  struct device *d = &devices[device_count];
  d->id = id;
  if (!start_engines(d)) return NULL;
  device_count++;
  return d;
}

struct device *each_device(unsigned at) { return at < device_count ? &devices[at] : NULL; }

unsigned device_number(const struct device *d) { return (unsigned)(d - devices); }

struct device *only_device(const struct context *c) { return c->count == 1 ? c->devices[0] : NULL; }

static cl_int open_inner(struct context *c, cl_context handle) {
  cl_device_id ids[MAX_DEVICES];
  size_t bytes = 0;
  cl_int status = DRIVER(clGetContextInfo)(handle, CL_CONTEXT_DEVICES, sizeof ids, ids, &bytes);
  if (status) return status; // also if there are more than we have room for
  for (unsigned i = 0; i < bytes / sizeof *ids; i++) {
    c->inner[i] = DRIVER(clCreateCommandQueue)(handle, ids[i], CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &status);
    if (status) return status;
    c->count = i + 1;
    enter();
    c->devices[i] = device_of(ids[i]);
    leave();
    if (!c->devices[i]) return CL_OUT_OF_HOST_MEMORY;
  }
  return CL_SUCCESS;
}

static cl_context adopt(cl_context handle, cl_int *status) {
  if (!handle) return NULL;
  struct context *c = calloc(1, sizeof *c);
  cl_int outcome = c ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
  if (c) {
    c->object = (struct object){.kind = CONTEXT, .handle = handle};
    outcome = open_inner(c, handle);
  }
  if (status) *status = outcome;
  if (outcome) {
    if (c) destroy_context(c);
    else DRIVER(clReleaseContext)(handle);
    free(c);
    return NULL;
  }
  static unsigned contexts;
  enter();
  c->number = ++contexts;
  list_object(&c->object);
  leave();
  return handle;
}

void destroy_context(struct context *c) {
  for (unsigned i = 0; i < c->count; i++)
    DRIVER(clReleaseCommandQueue)(c->inner[i]);
  DRIVER(clReleaseContext)(c->object.handle);
}

cl_context gpu_clCreateContext(const cl_properties *properties, cl_uint count, const cl_device_id *ids,
                               context_notice notice, void *user, cl_int *status) {
  return adopt(DRIVER(clCreateContext)(properties, count, ids, notice, user, status), status);
}

cl_context gpu_clCreateContextFromType(const cl_properties *properties, cl_bitfield type, context_notice notice,
                                       void *user, cl_int *status) {
  if (!(type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT))) {
    if (status) *status = CL_DEVICE_NOT_FOUND;
    return NULL;
  }
  return adopt(DRIVER(clCreateContextFromType)(properties, CL_DEVICE_TYPE_CPU, notice, user, status), status);
}

cl_int gpu_clRetainContext(cl_context context) {
  return retain_object(context, CONTEXT, "clRetainContext", CL_INVALID_CONTEXT);
}

cl_int gpu_clReleaseContext(cl_context context) {
  return release_object(context, CONTEXT, "clReleaseContext", CL_INVALID_CONTEXT);
}

// ---- programs ----

// Nothing before it is built.
static void learn_kernels(struct program *p, cl_program handle) {
  char names[sizeof p->kernels] = "";
  size_t bytes = 0;
  if (DRIVER(clGetProgramInfo)(handle, CL_PROGRAM_KERNEL_NAMES, 0, NULL, &bytes) || !bytes) return;
  char *all = malloc(bytes);
  if (all && !DRIVER(clGetProgramInfo)(handle, CL_PROGRAM_KERNEL_NAMES, bytes, all, NULL)) snprintf(names, sizeof names, "%s", all);
  free(all);
  enter();
  memcpy(p->kernels, names, sizeof names);
  leave();
}

static cl_program list_program(cl_program handle, cl_context context) {
  if (!handle) return NULL;
  struct program *p = calloc(1, sizeof *p);
  if (!p) return handle; // then nobody watches over it
  p->object = (struct object){.kind = PROGRAM, .handle = handle};
  learn_kernels(p, handle);
  static unsigned programs;
  enter();
  p->number = ++programs;
  const struct context *c = find_object(context, CONTEXT, "clCreateProgram");
  p->device = c ? only_device(c) : NULL;
  list_object(&p->object);
  leave();
  return handle;
}

void destroy_program(struct program *p) { DRIVER(clReleaseProgram)(p->object.handle); }

static bool find_number(const char *flags, const char *name, size_t *value) {
  const char *at = strstr(flags, name);
  if (at) *value = strtoull(at + strlen(name), NULL, 10);
  return at;
}

static struct table_form table_form(const char *flags) {
  size_t shift = 0, at = 0, bytes = 0;
  bool paged = strstr(flags, "-DHMM_PAGED") && find_number(flags, "-DHMM_PAGE_SHIFT=", &shift) &&
               find_number(flags, "-DHMM_TABLE_AT=", &at) && find_number(flags, "-DHMM_HEAP_BYTES=", &bytes);
  if (!paged || !shift || shift > 32) return (struct table_form){0};
  return (struct table_form){(unsigned)shift, at, bytes >> shift};
}

// The driver below does not know the option for large buffers.
cl_int gpu_clBuildProgram(cl_program program, cl_uint count, const cl_device_id *ids, const char *flags,
                          program_notice notice, void *user) {
  struct reined reined;
  enter();
  begin_call(program, PROGRAM, "clBuildProgram", &reined);
  leave();
  if (reined.refused) return reined.refused;
  const char *asked = flags && options.profile->larger_on_request ? strstr(flags, LARGE_BUFFERS_OPTION) : NULL;
  char *others = asked ? strdup(flags) : NULL;
  if (asked && !others) return CL_OUT_OF_HOST_MEMORY;
  if (others) memset(others + (asked - flags), ' ', strlen(LARGE_BUFFERS_OPTION));
  enter();
  struct program *p = find_object(program, PROGRAM, "clBuildProgram");
  if (p) {
    p->built = (struct built){asked, table_form(flags ? flags : "")};
    use_object(&p->object);
  }
  leave();
  cl_int status = DRIVER(clBuildProgram)(program, count, ids, others ? others : flags, notice, user);
  free(others);
  if (!p) return status;
  if (!status) learn_kernels(p, program);
  enter();
  unuse_object(&p->object);
  leave();
  return status;
}

struct built how_built(cl_program program, const char *call) {
  enter();
  const struct program *p = find_object(program, PROGRAM, call);
  struct built built = p ? p->built : (struct built){0};
  leave();
  return built;
}

cl_program gpu_clCreateProgramWithSource(cl_context context, cl_uint count, const char **text, const size_t *bytes,
                                         cl_int *status) {
  return list_program(DRIVER(clCreateProgramWithSource)(context, count, text, bytes, status), context);
}

cl_program gpu_clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *ids,
                                         const size_t *bytes, const unsigned char **binaries, cl_int *statuses,
                                         cl_int *status) {
  return list_program(DRIVER(clCreateProgramWithBinary)(context, count, ids, bytes, binaries, statuses, status), context);
}

cl_program gpu_clCreateProgramWithIL(cl_context context, const void *il, size_t bytes, cl_int *status) {
  return list_program(DRIVER(clCreateProgramWithIL)(context, il, bytes, status), context);
}

cl_program gpu_clCreateProgramWithBuiltInKernels(cl_context context, cl_uint count, const cl_device_id *ids,
                                                 const char *names, cl_int *status) {
  return list_program(DRIVER(clCreateProgramWithBuiltInKernels)(context, count, ids, names, status), context);
}

cl_program gpu_clLinkProgram(cl_context context, cl_uint count, const cl_device_id *ids, const char *flags,
                             cl_uint inputs, const cl_program *programs, program_notice notice, void *user,
                             cl_int *status) {
  return list_program(DRIVER(clLinkProgram)(context, count, ids, flags, inputs, programs, notice, user, status), context);
}

cl_int gpu_clRetainProgram(cl_program program) {
  cl_int status = retain_object(program, PROGRAM, "clRetainProgram", 1);
  return status == 1 ? DRIVER(clRetainProgram)(program) : status;
}

cl_int gpu_clReleaseProgram(cl_program program) {
  cl_int status = release_object(program, PROGRAM, "clReleaseProgram", 1);
  return status == 1 ? DRIVER(clReleaseProgram)(program) : status;
}
