// real_cl.c - see real_cl.h. What a test lets fail may fail here, too: our own commands are made again, but for ever only if nobody loses their device.
#include "real_cl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLATFORMS 16
#define MAX_DEVICES 16
#define TEXT_BYTES (1 << 16)
#define TRIES 100 // more than calls fail in a row

static struct real {
  cl_device_id id;
  cl_context context;
  cl_command_queue queue; // for our own copies
  cl_program program;
  cl_mem staging;
} reals[DEVICES];

// combine: what it finds in either page decides about every word that it leaves, so a wrong byte stays wrong.
static const char *const kernels = "kernel void combine(global uint *page, global const uint *other, const uint add) {\n"
                                   "  const size_t i = get_global_id(0);\n"
                                   "  page[i] = page[i] * 2654435761u + other[i] + add;\n"
                                   "}\n"
                                   "kernel void show(global const uint *page, global uint *seen) { seen[get_global_id(0)] = page[get_global_id(0)]; }\n";

// Where there is a search for leaks: what is made in between is none.
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

// Drivers are loaded here, also those that nobody uses and that are unloaded again: what they keep is their business.
static unsigned find_devices(cl_device_id *ids) {
  cl_platform_id platforms[MAX_PLATFORMS];
  cl_uint count = 0, found = 0;
  if (__lsan_disable) __lsan_disable();
  CHECK(!clGetPlatformIDs(MAX_PLATFORMS, platforms, &count));
  if (__lsan_enable) __lsan_enable();
  for (cl_uint i = 0; i < count && i < MAX_PLATFORMS && !found; i++) {
    if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_GPU, MAX_DEVICES, ids, &found)) found = 0;
  }
  return found < MAX_DEVICES ? found : MAX_DEVICES;
}

static cl_program build(cl_context context, cl_device_id id, const char *text) {
  const char *texts[] = {kernels, text};
  cl_int status;
  cl_program program = clCreateProgramWithSource(context, 2, texts, NULL, &status);
  CHECK_EQUAL(status, 0);
  CHECK_EQUAL(clBuildProgram(program, 1, &id, "-cl-kernel-arg-info", NULL, NULL), 0);
  return program;
}

bool open_real(const char *runs) {
  static char text[TEXT_BYTES];
  FILE *file = fopen(runs, "r");
  CHECK(file && fread(text, 1, sizeof text - 1, file) && feof(file) && !fclose(file));
  cl_device_id ids[MAX_DEVICES];
  unsigned count = find_devices(ids);
  if (!count) return false;
  CHECK(count >= DEVICES); // POCL_DEVICES makes as many
  for (unsigned i = 0; i < DEVICES; i++) {
    struct real *r = &reals[i];
    cl_int status;
    r->id = ids[i];
    r->context = clCreateContext(NULL, 1, &r->id, NULL, NULL, &status);
    CHECK_EQUAL(status, 0);
    r->queue = clCreateCommandQueue(r->context, r->id, 0, &status);
    CHECK_EQUAL(status, 0);
    r->program = build(r->context, r->id, text);
  }
  return true;
}

void close_real(void) {
  for (unsigned i = 0; i < DEVICES; i++) {
    CHECK(!clReleaseProgram(reals[i].program) && !clReleaseCommandQueue(reals[i].queue) && !clReleaseContext(reals[i].context));
  }
}

cl_context real_context(unsigned device) { return reals[device].context; }

cl_kernel real_kernel(unsigned device, const char *name) {
  cl_int status;
  cl_kernel kernel = clCreateKernel(reals[device].program, name, &status);
  CHECK_EQUAL(status, 0);
  return kernel;
}

cl_mem real_part(void *memory, size_t offset, size_t bytes) {
  cl_int status;
  const struct cl_region region = {offset, bytes};
  cl_mem part = clCreateSubBuffer(memory, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &status);
  CHECK_EQUAL(status, 0);
  return part;
}

static cl_mem make(unsigned device, cl_bitfield flags, size_t bytes) {
  cl_int status;
  cl_mem memory = clCreateBuffer(reals[device].context, flags, bytes, NULL, &status);
  CHECK_EQUAL(status, 0);
  return memory;
}

cl_mem real_buffer(unsigned device, size_t bytes) { return make(device, CL_MEM_READ_WRITE, bytes); }

bool real_read(unsigned device, cl_mem memory, void *to, size_t bytes) {
  int tries = TRIES;
  while (tries && clEnqueueReadBuffer(reals[device].queue, memory, 1, 0, bytes, to, 0, NULL, NULL)) tries--;
  return tries;
}

int real_end(void *event) {
  cl_event e = event;
  cl_int ended = CL_QUEUED;
  clWaitForEvents(1, &e);
  CHECK(!clGetEventInfo(e, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof ended, &ended, NULL) && ended <= CL_COMPLETE);
  CHECK_EQUAL(clReleaseEvent(e), 0);
  return ended;
}

// ---- the driver

#define ADDRESS(function) (uint64_t)(uintptr_t)(function)
static void calls(uint64_t cl[HMM_CL_COUNT]) {
  const uint64_t all[HMM_CL_COUNT] = {
      [HMM_CL_CREATE_QUEUE] = ADDRESS(clCreateCommandQueue), [HMM_CL_RELEASE_QUEUE] = ADDRESS(clReleaseCommandQueue), [HMM_CL_ENQUEUE_READ] = ADDRESS(clEnqueueReadBuffer),
      [HMM_CL_ENQUEUE_WRITE] = ADDRESS(clEnqueueWriteBuffer), [HMM_CL_ENQUEUE_COPY] = ADDRESS(clEnqueueCopyBuffer),  [HMM_CL_ENQUEUE_KERNEL] = ADDRESS(clEnqueueNDRangeKernel),
      [HMM_CL_FLUSH] = ADDRESS(clFlush),                     [HMM_CL_FINISH] = ADDRESS(clFinish),                     [HMM_CL_WAIT] = ADDRESS(clWaitForEvents),
      [HMM_CL_EVENT_INFO] = ADDRESS(clGetEventInfo),         [HMM_CL_RETAIN_EVENT] = ADDRESS(clRetainEvent),          [HMM_CL_RELEASE_EVENT] = ADDRESS(clReleaseEvent),
      [HMM_CL_SET_CALLBACK] = ADDRESS(clSetEventCallback),   [HMM_CL_MAP] = ADDRESS(clEnqueueMapBuffer),              [HMM_CL_UNMAP] = ADDRESS(clEnqueueUnmapMemObject),
      [HMM_CL_SET_ARG] = ADDRESS(clSetKernelArg)};
  memcpy(cl, all, sizeof all);
}

static void identify(unsigned device, uint64_t *context, uint64_t *id) {
  *context = (uint64_t)(uintptr_t)reals[device].context;
  *id = (uint64_t)(uintptr_t)reals[device].id;
}

static void *memory(unsigned device, size_t bytes) { return make(device, CL_MEM_READ_WRITE, bytes); }

static void *slot(unsigned device, size_t bytes) { return make(device, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes); }

static void free_memory(void *m) { CHECK_EQUAL(clReleaseMemObject(m), 0); }

static void *staging(unsigned device, size_t bytes) {
  cl_int status;
  reals[device].staging = slot(device, bytes);
  void *at = clEnqueueMapBuffer(reals[device].queue, reals[device].staging, 1, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, NULL, NULL, &status);
  CHECK_EQUAL(status, 0);
  return at;
}

// On a device that was lost nothing is unmapped.
static void free_staging(unsigned device, void *at) {
  if (!clEnqueueUnmapMemObject(reals[device].queue, reals[device].staging, at, 0, NULL, NULL)) CHECK_EQUAL(clFinish(reals[device].queue), 0);
  free_memory(reals[device].staging);
}

static void *queue(unsigned device) {
  cl_int status;
  cl_command_queue q = clCreateCommandQueue(reals[device].context, reals[device].id, 0, &status);
  CHECK_EQUAL(status, 0);
  return q;
}

static void release_queue(void *q) { CHECK_EQUAL(clReleaseCommandQueue(q), 0); }

// By way of memory of ours: who has lost its claim goes on to copy, and may do so while a view writes to the page. What comes of that nobody uses; so words are read as the view writes them, each at once.
static bool write_memory(unsigned device, void *to, size_t offset, const void *from, size_t bytes) {
  uint64_t words[PAGE / sizeof(uint64_t)];
  CHECK(bytes <= PAGE);
  for (size_t i = 0; i < bytes / sizeof *words; i++) words[i] = __atomic_load_n((const uint64_t *)from + i, __ATOMIC_RELAXED);
  int tries = TRIES;
  while (tries && clEnqueueWriteBuffer(reals[device].queue, to, 1, offset, bytes, words, 0, NULL, NULL)) tries--;
  return tries;
}

// The host reaches no memory of a GPU.
const struct driver real_driver = {.third = {[COMMANDS] = STAGED, [STAGED] = BY_COPIES, [BY_COPIES] = STAGED}, .calls = calls, .identify = identify, .memory = memory,
                                  .slot = slot, .free = free_memory, .staging = staging, .free_staging = free_staging, .queue = queue, .release_queue = release_queue, .write = write_memory};
