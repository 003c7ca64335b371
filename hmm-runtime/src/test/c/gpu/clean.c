// clean.c - programs that do nothing wrong, so no emulated GPU objects and none changes a byte of their results, which
// they print.
#include <pthread.h>

#include "program.h"

#define WORDS (64 * KIB)
#define BYTES (WORDS * sizeof(unsigned))

static void print_sum(const char *what, const void *bytes, size_t count) {
  unsigned long sum = 1469598103934665603UL;
  for (size_t i = 0; i < count; i++)
    sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211UL;
  printf("%s %016lx\n", what, sum);
}

static unsigned *words(unsigned seed) {
  unsigned *w = aligned_alloc(4096, BYTES);
  CHECK(w);
  fill_pattern(w, WORDS, seed);
  return w;
}

static void transfers(void) {
  struct gpu g = open_gpu();
  unsigned *a = words(1), *b = words(2), *result = words(3);
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL),
         y = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, b);
  cl_event written, added;
  OK(clEnqueueWriteBuffer(g.queue, x, FALSE, 0, BYTES, a, 0, NULL, &written));
  OK(clEnqueueCopyBuffer(g.queue, x, y, 4096, 8192, 16384, 0, NULL, NULL));
  set_buffer(g.add, 0, x);
  set_buffer(g.add, 1, y);
  launch(g.queue, g.add, WORDS, 0, NULL, &added);
  OK(clFlush(g.queue));
  OK(clEnqueueReadBuffer(g.other, x, TRUE, 0, BYTES, result, 1, &added, NULL));
  print_sum("transfers", result, BYTES);
  unsigned pattern = 0xABCD1234;
  OK(clEnqueueFillBuffer(g.other, x, &pattern, sizeof pattern, 4096, 4096, 0, NULL, NULL));
  size_t from[3] = {64, 2, 0}, to[3] = {128, 4, 0}, region[3] = {256, 8, 1};
  OK(clEnqueueCopyBufferRect(g.other, y, x, from, to, region, 1024, 0, 2048, 0, 0, NULL, NULL));
  OK(clEnqueueWriteBufferRect(g.other, x, FALSE, to, from, region, 4096, 0, 512, 0, b, 0, NULL, NULL));
  OK(clEnqueueReadBufferRect(g.other, x, TRUE, from, to, region, 4096, 0, 512, 0, result, 0, NULL, NULL));
  print_sum("boxes", result, BYTES);
  OK(clEnqueueReadBuffer(g.other, x, TRUE, 0, BYTES, result, 0, NULL, NULL));
  print_sum("all", result, BYTES);
  OK(clWaitForEvents(1, &written));
  OK(clReleaseEvent(written));
  OK(clReleaseEvent(added));
  OK(clReleaseMemObject(x));
  OK(clReleaseMemObject(y));
  free(a);
  free(b);
  free(result);
  close_gpu(&g);
}

static void maps(void) {
  struct gpu g = open_gpu();
  cl_int status;
  unsigned *own = words(4);
  cl_mem used = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, BYTES, own),
         allocated = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, BYTES, NULL),
         plain = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  unsigned *w = clEnqueueMapBuffer(g.queue, allocated, TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0, BYTES, 0, NULL, NULL,
                                   &status);
  OK(status);
  fill_pattern(w, WORDS, 5);
  OK(clEnqueueWriteBuffer(g.queue, plain, FALSE, 0, BYTES / 2, w + 100, 0, NULL, NULL)); // pinned: does not wait
  OK(clEnqueueUnmapMemObject(g.queue, allocated, w, 0, NULL, NULL));
  OK(clFinish(g.queue));
  w = clEnqueueMapBuffer(g.queue, plain, TRUE, CL_MAP_WRITE, BYTES / 2, BYTES / 2, 0, NULL, NULL, &status);
  OK(status);
  fill_pattern(w, WORDS / 2, 6);
  OK(clEnqueueUnmapMemObject(g.queue, plain, w, 0, NULL, NULL));
  set_buffer(g.add, 0, used);
  set_buffer(g.add, 1, allocated);
  launch(g.queue, g.add, WORDS, 0, NULL, NULL);
  set_buffer(g.add, 1, plain);
  launch(g.queue, g.add, WORDS, 0, NULL, NULL);
  w = clEnqueueMapBuffer(g.queue, used, TRUE, CL_MAP_READ, 0, BYTES, 0, NULL, NULL, &status);
  OK(status);
  CHECK(w == own);
  print_sum("maps", w, BYTES);
  OK(clEnqueueUnmapMemObject(g.queue, used, w, 0, NULL, NULL));
  const unsigned *first = clEnqueueMapBuffer(g.queue, allocated, FALSE, CL_MAP_READ, 100, 1000, 0, NULL, NULL, &status);
  OK(status);
  unsigned *second = clEnqueueMapBuffer(g.queue, allocated, TRUE, CL_MAP_WRITE, 8192, 4096, 0, NULL, NULL, &status);
  OK(status);
  second[5] = 77;
  print_sum("two", first, 1000);
  OK(clEnqueueUnmapMemObject(g.queue, allocated, second, 0, NULL, NULL));
  print_sum("one", first, 1000);
  OK(clEnqueueUnmapMemObject(g.queue, allocated, (void *)(size_t)first, 0, NULL, NULL));
  OK(clFinish(g.queue));
  OK(clReleaseMemObject(used));
  OK(clReleaseMemObject(allocated));
  OK(clReleaseMemObject(plain));
  free(own);
  close_gpu(&g);
}

static void parts(void) { // kernels on parts of a buffer while copies go to others
  struct gpu g = open_gpu();
  cl_int status;
  unsigned *w = words(7);
  cl_mem whole = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, w), part[2];
  cl_event event[2];
  for (size_t i = 0; i < 2; i++) {
    part[i] = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &(struct cl_region){i * 64 * KIB, 64 * KIB},
                                &status);
    OK(status);
    set_buffer(g.twice, 0, part[i]);
    launch(i ? g.other : g.queue, g.twice, 16 * KIB, 0, NULL, &event[i]);
  }
  OK(clEnqueueWriteBuffer(g.other, whole, FALSE, 128 * KIB, 64 * KIB, w, 0, NULL, NULL));
  OK(clFlush(g.queue));
  OK(clFlush(g.other));
  OK(clWaitForEvents(2, event));
  OK(clEnqueueReadBuffer(g.other, whole, TRUE, 0, BYTES, w, 0, NULL, NULL));
  print_sum("parts", w, BYTES);
  for (int i = 0; i < 2; i++) {
    OK(clReleaseEvent(event[i]));
    OK(clReleaseMemObject(part[i]));
  }
  OK(clReleaseMemObject(whole));
  free(w);
  close_gpu(&g);
}

static pthread_mutex_t heard_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t heard_changed = PTHREAD_COND_INITIALIZER;
static int heard;

static void hear(cl_event event, cl_int status, void *user) {
  (void)event;
  pthread_mutex_lock(&heard_lock);
  heard += status == CL_COMPLETE ? *(int *)user : 1000;
  pthread_cond_signal(&heard_changed);
  pthread_mutex_unlock(&heard_lock);
}

static void events(void) {
  struct gpu g = open_gpu();
  cl_int status, one = 1;
  unsigned *w = words(8);
  cl_command_queue free_queue = clCreateCommandQueue(
      g.context, g.device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE, &status);
  OK(status);
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  cl_event start = clCreateUserEvent(g.context, &status), written, doubled, marked;
  OK(status);
  OK(clEnqueueWriteBuffer(free_queue, x, FALSE, 0, BYTES, w, 1, &start, &written));
  set_buffer(g.twice, 0, x);
  launch(free_queue, g.twice, WORDS, 1, &written, &doubled);
  OK(clEnqueueBarrierWithWaitList(free_queue, 0, NULL, NULL));
  launch(free_queue, g.twice, WORDS, 0, NULL, NULL);
  OK(clEnqueueMarkerWithWaitList(free_queue, 0, NULL, &marked));
  OK(clSetEventCallback(marked, CL_COMPLETE, hear, &one));
  OK(clSetEventCallback(doubled, CL_COMPLETE, hear, &one));
  OK(clFlush(free_queue));
  OK(clSetUserEventStatus(start, CL_COMPLETE));
  pthread_mutex_lock(&heard_lock);
  while (heard < 2)
    pthread_cond_wait(&heard_changed, &heard_lock);
  pthread_mutex_unlock(&heard_lock);
  OK(clGetEventInfo(doubled, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
  CHECK(status == CL_COMPLETE);
  cl_uint type;
  OK(clGetEventInfo(doubled, CL_EVENT_COMMAND_TYPE, sizeof type, &type, NULL));
  CHECK(type == CL_COMMAND_NDRANGE_KERNEL);
  cl_ulong times[4];
  for (cl_uint i = 0; i < 4; i++)
    OK(clGetEventProfilingInfo(doubled, CL_PROFILING_COMMAND_QUEUED + i, sizeof times[i], &times[i], NULL));
  CHECK(times[0] <= times[1] && times[1] <= times[2] && times[2] <= times[3]);
  OK(clWaitForEvents(1, &marked));
  OK(clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, w, 0, NULL, NULL));
  print_sum("events", w, BYTES);
  cl_event all[4] = {start, written, doubled, marked};
  for (int i = 0; i < 4; i++)
    OK(clReleaseEvent(all[i]));
  OK(clReleaseCommandQueue(free_queue));
  OK(clReleaseMemObject(x));
  free(w);
  close_gpu(&g);
}

static void shared(void) {
  struct gpu g = open_gpu();
  cl_bitfield svm = 0;
  OK(clGetDeviceInfo(g.device, CL_DEVICE_SVM_CAPABILITIES, sizeof svm, &svm, NULL));
  unsigned *w = svm ? clSVMAlloc(g.context, CL_MEM_READ_WRITE, BYTES, 0) : words(9);
  CHECK(w);
  if (svm) {
    OK(clEnqueueSVMMap(g.queue, TRUE, CL_MAP_WRITE, w, BYTES, 0, NULL, NULL));
    fill_pattern(w, WORDS, 9);
    OK(clEnqueueSVMUnmap(g.queue, w, 0, NULL, NULL));
    OK(clSetKernelArgSVMPointer(g.twice, 0, w));
    launch(g.queue, g.twice, WORDS, 0, NULL, NULL);
    OK(clEnqueueSVMMap(g.queue, TRUE, CL_MAP_READ, w, BYTES, 0, NULL, NULL));
  } else {
    for (size_t i = 0; i < WORDS; i++)
      w[i] *= 2;
  }
  print_sum("shared", w, BYTES);
  if (svm) {
    OK(clEnqueueSVMUnmap(g.queue, w, 0, NULL, NULL));
    OK(clFinish(g.queue));
    clSVMFree(g.context, w);
  } else {
    free(w);
  }
  close_gpu(&g);
}

struct worker {
  struct gpu *g;
  unsigned seed, failures;
};

static void *work(void *with) { // copies and launches of its own
  struct worker *me = with;
  unsigned *w = words(me->seed), *back = words(0);
  cl_int status;
  cl_command_queue queue = clCreateCommandQueue(me->g->context, me->g->device, 0, &status);
  OK(status);
  cl_kernel twice = clCreateKernel(me->g->program, "twice", &status);
  OK(status);
  for (int round = 0; round < 20; round++) {
    cl_mem x = buffer(me->g, CL_MEM_READ_WRITE, BYTES, NULL);
    cl_event event;
    OK(clEnqueueWriteBuffer(queue, x, FALSE, 0, BYTES, w, 0, NULL, NULL));
    set_buffer(twice, 0, x);
    launch(queue, twice, WORDS, 0, NULL, &event);
    OK(clEnqueueReadBuffer(queue, x, TRUE, 0, BYTES, back, 0, NULL, NULL));
    OK(clReleaseMemObject(x));
    OK(clReleaseEvent(event));
    for (size_t i = 0; i < WORDS; i++)
      me->failures += back[i] != 2 * w[i];
  }
  OK(clReleaseKernel(twice));
  OK(clReleaseCommandQueue(queue));
  free(w);
  free(back);
  return NULL;
}

static void threads(void) {
  struct gpu g = open_gpu();
  pthread_t thread[4];
  struct worker worker[4];
  for (unsigned i = 0; i < 4; i++) {
    worker[i] = (struct worker){&g, i + 10, 0};
    CHECK(!pthread_create(&thread[i], NULL, work, &worker[i]));
  }
  for (unsigned i = 0; i < 4; i++) {
    CHECK(!pthread_join(thread[i], NULL));
    CHECK(!worker[i].failures);
  }
  printf("threads\n");
  close_gpu(&g);
}

const struct program clean_programs[] = {
    {.name = "transfers", .run = transfers},
    {.name = "maps", .run = maps},
    {.name = "parts", .run = parts},
    {.name = "events", .run = events},
    {.name = "shared", .run = shared},
    {.name = "threads", .run = threads},
    {0},
};
