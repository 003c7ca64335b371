// behaviour.c - what a program meets on the emulated GPU that it does not meet on a CPU device.
#include <pthread.h>
#include <time.h>

#include "program.h"

#define WORDS (16 * KIB)
#define BYTES (WORDS * sizeof(unsigned))
#define POISON 0xDBDBDBDBu

static unsigned host[WORDS], result[WORDS];

static cl_int status_of(cl_event event) {
  cl_int status;
  OK(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
  return status;
}

static void *map(cl_command_queue queue, cl_mem memory, cl_bitfield flags, size_t bytes) {
  cl_int status;
  void *address = clEnqueueMapBuffer(queue, memory, TRUE, flags, 0, bytes, 0, NULL, NULL, &status);
  OK(status);
  return address;
}

static void poisons(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, result, 0, NULL, NULL));
  CHECK(result[0] == POISON && result[WORDS - 1] == POISON);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  const unsigned *w = map(g.queue, x, CL_MAP_WRITE_INVALIDATE_REGION, BYTES);
  CHECK(w[0] == POISON && w[WORDS - 1] == POISON);
  OK(clEnqueueUnmapMemObject(g.queue, x, (void *)(size_t)w, 0, NULL, NULL)); // what the program did not write is lost
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, result, 0, NULL, NULL));
  CHECK(result[7] == POISON);
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void shadows(void) { // USE_HOST_PTR is in step only at maps and unmaps
  struct gpu g = open_gpu();
  static unsigned own[WORDS + 1];
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, BYTES,
                    own + 1); // so aligned that no device works in it
  memset(host, 1, BYTES);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  CHECK(own[1] == 0);
  unsigned *w = map(g.queue, x, CL_MAP_READ | CL_MAP_WRITE, BYTES);
  CHECK(w == own + 1 && w[0] == 0x01010101 && w[WORDS - 1] == 0x01010101);
  w[3] = 42;
  OK(clEnqueueUnmapMemObject(g.queue, x, w, 0, NULL, NULL));
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, result, 0, NULL, NULL));
  CHECK(result[3] == 42);
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void begins_when_flushed(void) {
  struct gpu g = open_gpu();
  cl_event event;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL), pinned = buffer(&g, CL_MEM_ALLOC_HOST_PTR, BYTES, NULL);
  unsigned *w = map(g.queue, pinned, CL_MAP_WRITE, BYTES);
  w[5] = 1;
  OK(clEnqueueWriteBuffer(g.queue, x, FALSE, 0, BYTES, w, 0, NULL, &event));
  CHECK(status_of(event) == CL_QUEUED);
  OK(clFinish(g.other));
  CHECK(status_of(event) == CL_QUEUED);
  w[5] = 2; // read late, so this is what arrives
  OK(clWaitForEvents(1, &event));
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, result, 0, NULL, NULL));
  CHECK(result[5] == 2);
  OK(clEnqueueUnmapMemObject(g.queue, pinned, w, 0, NULL, NULL));
  OK(clReleaseEvent(event));
  OK(clReleaseMemObject(x));
  OK(clReleaseMemObject(pinned));
  close_gpu(&g);
}

static void pageable_waits(void) {
  struct gpu g = open_gpu();
  cl_event event;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, FALSE, 0, BYTES, host, 0, NULL, &event));
  CHECK(status_of(event) == CL_COMPLETE);
  OK(clReleaseEvent(event));
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void short_at_creation(void) {
  struct gpu g = open_gpu();
  cl_int status;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, 3 * MIB, NULL),
         y = clCreateBuffer(g.context, CL_MEM_READ_WRITE, 2 * MIB, NULL, &status);
  CHECK(!y && status == CL_MEM_OBJECT_ALLOCATION_FAILURE);
  OK(clReleaseMemObject(x));
  y = buffer(&g, CL_MEM_READ_WRITE, 2 * MIB, NULL);
  OK(clReleaseMemObject(y));
  close_gpu(&g);
}

// A kernel on `y`, while `x` takes what it needs, and without.
static void launch_when_there_is_room(struct gpu *g, cl_mem x, cl_mem y) {
  set_buffer(g->twice, 0, y);
  CHECK(clEnqueueNDRangeKernel(g->queue, g->twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL) ==
        CL_MEM_OBJECT_ALLOCATION_FAILURE);
  OK(clReleaseMemObject(x));
  launch(g->queue, g->twice, WORDS, 0, NULL, NULL);
  OK(clFinish(g->queue));
  OK(clReleaseMemObject(y));
}

static void short_at_first_use(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, 3 * MIB, NULL), y = buffer(&g, CL_MEM_READ_WRITE, 2 * MIB, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  CHECK(clEnqueueWriteBuffer(g.queue, y, TRUE, 0, BYTES, host, 0, NULL, NULL) == CL_MEM_OBJECT_ALLOCATION_FAILURE);
  launch_when_there_is_room(&g, x, y);
  close_gpu(&g);
}

// Its buffers are there, and what it takes itself is not.
static void short_for_a_kernel(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, 2 * MIB, NULL), y = buffer(&g, CL_MEM_READ_WRITE, MIB, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  OK(clEnqueueWriteBuffer(g.queue, y, TRUE, 0, BYTES, host, 0, NULL, NULL));
  launch_when_there_is_room(&g, x, y);
  close_gpu(&g);
}

static void too_large_allocation(void) {
  struct gpu g = open_gpu();
  cl_int status;
  CHECK(!clCreateBuffer(g.context, CL_MEM_READ_WRITE, 5 * MIB, NULL, &status) && status == CL_INVALID_BUFFER_SIZE);
  close_gpu(&g);
}

static void larger_on_request(void) {
  struct gpu g = open_gpu();
  cl_kernel twice = built_with(&g, "-cl-kernel-arg-info " LARGE_BUFFERS_OPTION " -D X=1", "twice");
  unsigned last = 21;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL, 5 * MIB, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 5 * MIB - 4, 4, &last, 0, NULL, NULL));
  set_buffer(twice, 0, x);
  launch(g.queue, twice, 5 * MIB / 4, 0, NULL, NULL);
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 5 * MIB - 4, 4, &last, 0, NULL, NULL));
  CHECK(last == 42);
  OK(clReleaseMemObject(x));
  OK(clReleaseKernel(twice));
  close_gpu(&g);
}

static void larger_on_no_request(void) {
  struct gpu g = open_gpu();
  cl_int status;
  CHECK(!clCreateBuffer(g.context, CL_MEM_READ_WRITE | CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL, 4096, NULL, &status) && status == CL_INVALID_VALUE);
  close_gpu(&g);
}

static void fails_at_call(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  CHECK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL) == CL_OUT_OF_HOST_MEMORY);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void fails_in_event(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, host);
  cl_event event, after;
  set_buffer(g.twice, 0, x);
  launch(g.queue, g.twice, WORDS, 0, NULL, &event); // the first command: it does not run
  launch(g.queue, g.twice, WORDS, 1, &event, &after);
  CHECK(clWaitForEvents(1, &after) == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  CHECK(status_of(event) == CL_OUT_OF_RESOURCES && status_of(after) == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  launch(g.queue, g.twice, WORDS, 0, NULL, NULL);
  OK(clFinish(g.queue));
  OK(clReleaseEvent(event));
  OK(clReleaseEvent(after));
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void never(cl_event event, cl_int status, void *user) {
  (void)event, (void)status, (void)user;
  fprintf(stderr, "a callback of a lost device\n");
  exit(1);
}

static void loses_the_device(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, host);
  cl_event first, second;
  set_buffer(g.twice, 0, x);
  launch(g.queue, g.twice, WORDS, 0, NULL, &first);
  launch(g.queue, g.twice, WORDS, 0, NULL, &second);
  OK(clSetEventCallback(second, CL_COMPLETE, never, NULL));
  CHECK(clWaitForEvents(1, &second) < 0);
  CHECK(status_of(first) < 0 && status_of(second) < 0);
  CHECK(clFinish(g.queue) == CL_INVALID_COMMAND_QUEUE && clFlush(g.queue) == CL_INVALID_COMMAND_QUEUE);
  CHECK(clEnqueueReadBuffer(g.other, x, TRUE, 0, BYTES, result, 0, NULL, NULL) == CL_INVALID_COMMAND_QUEUE);
  OK(clReleaseEvent(first));
  OK(clReleaseEvent(second));
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void no_callback_after_the_end(void) {
  struct gpu g = open_gpu();
  cl_event event;
  OK(clEnqueueMarkerWithWaitList(g.queue, 0, NULL, &event));
  OK(clWaitForEvents(1, &event));
  OK(clSetEventCallback(event, CL_COMPLETE, never, NULL)); // Oclgrind forgets it
  OK(clFinish(g.queue));
  OK(clReleaseEvent(event));
  close_gpu(&g);
}

#define STARTED (CL_PROFILING_COMMAND_QUEUED + 2)
#define ENDED (CL_PROFILING_COMMAND_QUEUED + 3)

static cl_ulong time_of(cl_event event, cl_uint name) {
  cl_ulong nanos;
  OK(clGetEventProfilingInfo(event, name, sizeof nanos, &nanos, NULL));
  return nanos;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Transfers of one size, one after the other: together never faster than asked, and the best of them by the device's
// clock within 5 % of it. How much slower all of them are depends on what else this machine does, so it is only told.
static bool streams(struct gpu *g, cl_mem x, unsigned *pinned, size_t piece, unsigned count, double rate, bool up) {
  cl_event event[64];
  CHECK(count <= 64);
  double began = seconds();
  for (unsigned i = 0; i < count; i++) {
    if (up) OK(clEnqueueWriteBuffer(g->queue, x, FALSE, 0, piece, pinned, 0, NULL, &event[i]));
    else OK(clEnqueueReadBuffer(g->queue, x, FALSE, 0, piece, pinned, 0, NULL, &event[i]));
  }
  OK(clFinish(g->queue));
  double took = seconds() - began, asked = (double)piece / rate, best = 1e9;
  double device = (double)(time_of(event[count - 1], ENDED) - time_of(event[0], STARTED)) * 1e-9;
  for (unsigned i = 0; i < count; i++) {
    double one = (double)(time_of(event[i], ENDED) - time_of(event[i], STARTED)) * 1e-9;
    if (one < best) best = one;
    OK(clReleaseEvent(event[i]));
  }
  fprintf(stderr, "%u %s of %zu KiB: asked %.3f ms each; device %.3f at best, %.3f on average; host %.3f\n", count,
          up ? "writes" : "reads", piece / 1024, asked * 1e3, best * 1e3, device / count * 1e3, took / count * 1e3);
  CHECK(best > asked * 0.95);
  CHECK(took > asked * count * 0.95 && device > asked * count * 0.95);
  return best < asked * 1.05;
}

#define TRIES 50 // until a processor was there in time

static void stream(struct gpu *g, cl_mem x, unsigned *pinned, size_t piece, unsigned count, double rate, bool up) {
  for (int i = 0; i < TRIES; i++) {
    if (streams(g, x, pinned, piece, count, rate, up)) return;
  }
  CHECK(!"not one transfer was in time");
}

static void keeps_time(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, 8 * MIB, NULL), pinned = buffer(&g, CL_MEM_ALLOC_HOST_PTR, 8 * MIB, NULL);
  unsigned *w = map(g.queue, pinned, CL_MAP_WRITE, 8 * MIB);
  stream(&g, x, w, 8 * MIB, 4, 512.0 * (double)MIB, true);
  stream(&g, x, w, 8 * MIB, 4, 256.0 * (double)MIB, false);
  stream(&g, x, w, 256 * KIB, 64, 512.0 * (double)MIB, true);
  OK(clEnqueueUnmapMemObject(g.queue, pinned, w, 0, NULL, NULL));
  OK(clFinish(g.queue));
  OK(clReleaseMemObject(x));
  OK(clReleaseMemObject(pinned));
  close_gpu(&g);
}

#define TIMED (4 * MIB)
#define ROUNDS 4

struct timed {
  struct gpu gpu;
  cl_mem x, y;
  unsigned *pinned;
};
static void write_timed(struct timed *t, cl_event *event) { OK(clEnqueueWriteBuffer(t->gpu.queue, t->x, FALSE, 0, TIMED, t->pinned, 0, NULL, event)); }
static void read_timed(struct timed *t, cl_event *event) { OK(clEnqueueReadBuffer(t->gpu.queue, t->x, FALSE, 0, TIMED, t->pinned, 0, NULL, event)); }
static void copy_timed(struct timed *t, cl_event *event) { OK(clEnqueueCopyBuffer(t->gpu.queue, t->x, t->y, 0, 0, TIMED, 0, NULL, event)); }
static void fill_timed(struct timed *t, cl_event *event) {
  static const cl_ulong pattern = 1;
  OK(clEnqueueFillBuffer(t->gpu.queue, t->y, &pattern, sizeof pattern, 0, TIMED, 0, NULL, event));
}
static void launch_timed(struct timed *t, cl_event *event) { launch(t->gpu.queue, t->gpu.twice, 64, 0, NULL, event); }

// So many commands of a queue take what was asked for, by the device's clock: none less, those that were not late for want of a processor exactly that, and each starts where the one before it ended, or later.
static bool are_in_time(struct timed *t, void (*enqueue)(struct timed *, cl_event *), cl_ulong asked) {
  cl_event event[ROUNDS];
  unsigned exact = 0, close = 0;
  for (unsigned i = 0; i < ROUNDS; i++) enqueue(t, &event[i]);
  OK(clFinish(t->gpu.queue));
  for (unsigned i = 0; i < ROUNDS; i++) {
    cl_ulong started = time_of(event[i], STARTED), took = time_of(event[i], ENDED) - started, before = i ? time_of(event[i - 1], ENDED) : 0;
    CHECK(took + 1 >= asked && started >= before);
    exact += took <= asked + 1;
    close += started == before;
  }
  for (unsigned i = 0; i < ROUNDS; i++) OK(clReleaseEvent(event[i]));
  return exact && close;
}

static void check_times(struct timed *t, void (*enqueue)(struct timed *, cl_event *), cl_ulong asked) {
  unsigned tries = 1;
  while (!are_in_time(t, enqueue, asked)) CHECK(tries++ < TRIES);
}

// Of each profile, with h2d=512M/s, d2h=256M/s, d2d=1G/s and latency=2ms.
static void keeps_each_time(void) {
  struct timed t = {.gpu = open_gpu()};
  cl_mem pinned = buffer(&t.gpu, CL_MEM_ALLOC_HOST_PTR, TIMED, NULL);
  t.x = buffer(&t.gpu, CL_MEM_READ_WRITE, TIMED, NULL);
  t.y = buffer(&t.gpu, CL_MEM_READ_WRITE, TIMED, NULL);
  t.pinned = map(t.gpu.queue, pinned, CL_MAP_WRITE, TIMED);
  const cl_ulong latency = 2000000, second = 1000000000;
  check_times(&t, write_timed, latency + second * TIMED / (512 * MIB));
  check_times(&t, read_timed, latency + second * TIMED / (256 * MIB));
  check_times(&t, copy_timed, latency + second * TIMED / (1024 * MIB));
  check_times(&t, fill_timed, latency + second * TIMED / (1024 * MIB));
  set_buffer(t.gpu.twice, 0, t.x);
  check_times(&t, launch_timed, latency);
  OK(clEnqueueUnmapMemObject(t.gpu.queue, pinned, t.pinned, 0, NULL, NULL));
  OK(clFinish(t.gpu.queue));
  OK(clReleaseMemObject(t.x));
  OK(clReleaseMemObject(t.y));
  OK(clReleaseMemObject(pinned));
  close_gpu(&t.gpu);
}

// By the device's clock: whether a read is under way while a write is.
static bool overlap(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, 8 * MIB, NULL), pinned = buffer(&g, CL_MEM_ALLOC_HOST_PTR, 16 * MIB, NULL);
  char *w = map(g.queue, pinned, CL_MAP_WRITE, 16 * MIB);
  cl_event up, down;
  OK(clEnqueueWriteBuffer(g.queue, x, FALSE, 0, 4 * MIB, w, 0, NULL, &up));
  OK(clEnqueueReadBuffer(g.other, x, FALSE, 4 * MIB, 4 * MIB, w + 8 * MIB, 0, NULL, &down));
  OK(clFlush(g.queue));
  OK(clFlush(g.other));
  OK(clWaitForEvents(2, (const cl_event[]){up, down}));
  bool both = time_of(down, STARTED) < time_of(up, ENDED);
  OK(clEnqueueUnmapMemObject(g.queue, pinned, w, 0, NULL, NULL));
  OK(clFinish(g.queue));
  OK(clReleaseEvent(up));
  OK(clReleaseEvent(down));
  OK(clReleaseMemObject(x));
  OK(clReleaseMemObject(pinned));
  close_gpu(&g);
  return both;
}

static void overlaps_directions(void) {
  unsigned tries = 1;
  while (!overlap()) CHECK(tries++ < TRIES); // the other one began when the first had ended
}
static void takes_directions_in_turns(void) { CHECK(!overlap()); }

static void works_in_place(void) { // what is allocated for it is the device's memory, too: a map moves nothing
  struct gpu g = open_gpu();
  cl_event event;
  cl_int status;
  cl_mem x = buffer(&g, CL_MEM_ALLOC_HOST_PTR, BYTES, NULL);
  OK(clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL));
  bool at_once = false;
  for (unsigned tries = 0; !at_once; tries++) {
    CHECK(tries < TRIES);
    unsigned *w = clEnqueueMapBuffer(g.queue, x, TRUE, CL_MAP_READ, 0, BYTES, 0, NULL, &event, &status);
    OK(status);
    CHECK(!memcmp(w, host, BYTES));
    at_once = time_of(event, ENDED) - time_of(event, STARTED) < 60000000; // 64 KiB would take 64 ms, each time
    OK(clEnqueueUnmapMemObject(g.queue, x, w, 0, NULL, NULL));
    OK(clReleaseEvent(event));
  }
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

static void says_who_it_is(void) {
  struct gpu g = open_gpu();
  char name[256];
  cl_bitfield type;
  cl_bool images;
  cl_uint count = 1;
  cl_platform_id platform;
  OK(clGetDeviceInfo(g.device, CL_DEVICE_NAME, sizeof name, name, NULL));
  CHECK(strstr(name, "emulated"));
  OK(clGetDeviceInfo(g.device, CL_DEVICE_TYPE, sizeof type, &type, NULL));
  CHECK(type == CL_DEVICE_TYPE_GPU);
  OK(clGetDeviceInfo(g.device, CL_DEVICE_IMAGE_SUPPORT, sizeof images, &images, NULL));
  CHECK(!images);
  OK(clGetPlatformIDs(1, &platform, NULL));
  CHECK(clGetDeviceIDs(platform, 2 /* CPU */, 0, NULL, &count) == CL_DEVICE_NOT_FOUND);
  OK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_GPU, 0, NULL, &count));
  CHECK(count == 1);
  CHECK(clGetExtensionFunctionAddressForPlatform(platform, "clFinalizeCommandBufferKHR") == NULL);
  close_gpu(&g);
}

// What of shared memory a device has, what it says and what it does agree.
static void shares(bool coarse, bool fine, bool system) {
  struct gpu g = open_gpu();
  cl_bitfield kinds = 0;
  OK(clGetDeviceInfo(g.device, CL_DEVICE_SVM_CAPABILITIES, sizeof kinds, &kinds, NULL));
  CHECK(kinds == ((coarse ? CL_DEVICE_SVM_COARSE_GRAIN_BUFFER : 0u) | (fine ? CL_DEVICE_SVM_FINE_GRAIN_BUFFER : 0u) | (system ? CL_DEVICE_SVM_FINE_GRAIN_SYSTEM : 0u)));
  void *taking_turns = clSVMAlloc(g.context, CL_MEM_READ_WRITE, BYTES, 0);
  CHECK(!taking_turns == !coarse);
  unsigned *shared = clSVMAlloc(g.context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, BYTES, 0);
  CHECK(!shared == !fine);
  cl_uint yes = TRUE;
  cl_int no = !coarse ? CL_INVALID_OPERATION : CL_INVALID_ARG_VALUE;
  CHECK(clSetKernelExecInfo(g.twice, CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, sizeof yes, &yes) == (system ? 0 : CL_INVALID_OPERATION));
  CHECK(clSetKernelArgSVMPointer(g.twice, 0, host + 1) == (system ? 0 : no));
  for (int round = 0; round < 2; round++) { // without a command in between
    unsigned *words = round ? host + 1 : shared;
    if (!(round ? system : fine)) continue;
    CHECK(round || words[3] == POISON);
    fill_pattern(words, WORDS - 1, 5);
    fill_pattern(result, WORDS - 1, 5);
    OK(clSetKernelArgSVMPointer(g.twice, 0, words));
    launch(g.queue, g.twice, WORDS - 1, 0, NULL, NULL);
    OK(clFinish(g.queue));
    for (size_t i = 0; i < WORDS - 1; i++)
      CHECK(words[i] == 2 * result[i]);
  }
  clSVMFree(g.context, shared);
  clSVMFree(g.context, taking_turns);
  close_gpu(&g);
}

static void shares_nothing(void) { shares(false, false, false); }
static void shares_in_turns(void) { shares(true, false, false); }
static void shares_fine_buffers(void) { shares(true, true, false); }
static void shares_all_memory(void) { shares(true, true, true); }

static void goes_on_when_told(void) { // offences=report
  struct gpu g = open_gpu();
  cl_int status;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  CHECK(!clCreateSubBuffer(x, 0, CL_BUFFER_CREATE_TYPE_REGION, &(struct cl_region){64, 1024}, &status) &&
        status == CL_MISALIGNED_SUB_BUFFER_OFFSET);
  OK(clReleaseMemObject(x));
  close_gpu(&g);
}

const struct program behaviour_programs[] = {
    {.name = "poisons", .run = poisons},
    {.name = "shadows", .run = shadows},
    {.name = "begins-when-flushed", .run = begins_when_flushed},
    {.name = "pageable-waits", .run = pageable_waits, .profile = "nvidia"},
    {.name = "short-at-creation", .run = short_at_creation, .options = ":memory=4M,allocation=4M", .profile = "rocm"},
    {.name = "short-at-first-use",
     .run = short_at_first_use,
     .options = ":memory=4M,allocation=4M",
     .profile = "nvidia"},
    {.name = "short-for-a-kernel",
     .run = short_for_a_kernel,
     .options = ":memory=4M,allocation=4M,kernel=2M",
     .profile = "nvidia"},
    {.name = "too-large-allocation", .run = too_large_allocation, .options = ":memory=8M,allocation=4M"},
    {.name = "larger-on-request", .run = larger_on_request, .options = ":memory=8M,allocation=4M", .profile = "arc"},
    {.name = "larger-on-no-request", .run = larger_on_no_request, .options = ":memory=8M,allocation=4M", .profile = "nvidia"},
    {.name = "fails-at-call", .run = fails_at_call, .options = ":fail=-6@2"},
    {.name = "fails-in-event", .run = fails_in_event, .options = ":fail-event=-5@1"},
    {.name = "loses-the-device", .run = loses_the_device, .options = ":lose=1", .profile = "nvidia"},
    {.name = "no-callback-after-the-end", .run = no_callback_after_the_end, .options = ":callbacks=lost"},
    {.name = "keeps-time", .run = keeps_time, .options = ":h2d=512M/s,d2h=256M/s", .profile = "nvidia"},
    {.name = "keeps-each-time", .run = keeps_each_time, .options = ":h2d=512M/s,d2h=256M/s,d2d=1G/s,latency=2ms"},
    {.name = "adds-up-time", .run = adds_up_time, .profile = "nvidia"},
    {.name = "overlaps-directions", .run = overlaps_directions, .options = ":h2d=64M/s,d2h=64M/s", .profile = "nvidia"},
    {.name = "overlaps-directions", .run = overlaps_directions, .options = ":h2d=64M/s,d2h=64M/s", .profile = "rocm"},
    {.name = "takes-directions-in-turns", .run = takes_directions_in_turns, .options = ":h2d=64M/s,d2h=64M/s", .profile = "arc"},
    {.name = "takes-directions-in-turns", .run = takes_directions_in_turns, .options = ":h2d=64M/s,d2h=64M/s", .profile = "igpu"},
    {.name = "takes-directions-in-turns", .run = takes_directions_in_turns, .options = ":h2d=64M/s,d2h=64M/s", .profile = "mali"},
    {.name = "works-in-place", .run = works_in_place, .options = ":h2d=1M/s,d2h=1M/s", .profile = "igpu"},
    {.name = "says-who-it-is", .run = says_who_it_is},
    {.name = "shares-nothing", .run = shares_nothing, .profile = "mali"},
    {.name = "shares-nothing", .run = shares_nothing, .options = ":svm=none", .profile = "igpu"},
    {.name = "shares-in-turns", .run = shares_in_turns, .profile = "igpu"},
    {.name = "shares-fine-buffers", .run = shares_fine_buffers, .options = ":svm=fine", .profile = "mali"},
    {.name = "shares-all-memory", .run = shares_all_memory, .options = ":svm=system", .profile = "igpu"},
    {.name = "goes-on-when-told", .run = goes_on_when_told, .options = ":offences=report"},
    {0},
};
