// reins.c - programs that hold, fail, stop and lose the device they run on (src/main/c/gpu/reins.c), with threads that
// meet there: under the sanitizers, too. What each rein does is in EmulatedGpuReinsTest.
#define _GNU_SOURCE
#include <pthread.h>

#include "program.h"
#include "reins.h"

#define WORDS (16 * KIB)
#define BYTES (WORDS * sizeof(unsigned))
#define PATIENCE 30u // seconds
enum { COMPUTE, TO_DEVICE, TO_HOST };
struct stop;

static struct device *device(void) {
  struct device *d = REIN(struct device *, device, unsigned)(0);
  CHECK(d);
  return d;
}
static void hold(unsigned engine, bool held) { REIN(void, hold, struct device *, unsigned, bool)(device(), engine, held); }
static void step(unsigned engine) { CHECK(!REIN(int, step, struct device *, unsigned, unsigned)(device(), engine, PATIENCE)); }
static void fail(unsigned call, uint64_t nth, cl_int status) {
  CHECK(REIN(bool, fail, struct device *, unsigned, uint64_t, uint64_t, cl_int)(device(), call, nth, 1, status));
}
static void lose(void) { REIN(void, lose, struct device *)(device()); }
static bool reset(char *left) { return REIN(bool, reset, char *, size_t)(left, 200); }

struct work {
  struct gpu gpu;
  cl_mem memory;
  cl_int status; // of the call
};

static struct work begin_work(void) {
  struct work w = {.gpu = open_gpu()};
  w.memory = buffer(&w.gpu, CL_MEM_READ_WRITE, BYTES, NULL);
  set_buffer(w.gpu.twice, 0, w.memory);
  return w;
}

static void end_work(struct work *w) {
  OK(clReleaseMemObject(w->memory));
  close_gpu(&w->gpu);
}

static void *launch_one(void *with) {
  struct work *w = with;
  w->status = clEnqueueNDRangeKernel(w->gpu.other, w->gpu.twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL);
  if (!w->status) w->status = clFinish(w->gpu.other);
  return NULL;
}

static unsigned first_word(struct work *w) {
  unsigned word;
  OK(clEnqueueReadBuffer(w->gpu.queue, w->memory, TRUE, 0, sizeof word, &word, 0, NULL, NULL));
  return word;
}

static void set_words(struct work *w, unsigned value) {
  OK(clEnqueueFillBuffer(w->gpu.queue, w->memory, &value, sizeof value, 0, BYTES, 0, NULL, NULL));
  OK(clFinish(w->gpu.queue));
}

static void steps_through(void) {
  struct work w = begin_work();
  pthread_t thread;
  set_words(&w, 1);
  hold(COMPUTE, true);
  CHECK(!pthread_create(&thread, NULL, launch_one, &w));
  step(COMPUTE); // it may have to wait for the launch
  CHECK(!pthread_join(thread, NULL) && !w.status);
  CHECK(first_word(&w) == 2);
  CHECK(!pthread_create(&thread, NULL, launch_one, &w));
  CHECK(REIN(bool, await_submitted, struct device *, unsigned, uint64_t, unsigned)(device(), COMPUTE, 3, PATIENCE));
  CHECK(REIN(uint64_t, completed, struct device *, unsigned)(device(), COMPUTE) == 2);
  hold(COMPUTE, false);
  CHECK(!pthread_join(thread, NULL) && !w.status);
  CHECK(first_word(&w) == 4);
  end_work(&w);
}

static void stops_and_loses(void) {
  char left[200];
  struct work w = begin_work();
  pthread_t thread;
  set_words(&w, 1);
  struct stop *stop = REIN(struct stop *, stop_at, struct device *, unsigned, uint64_t)(device(), LAUNCH, 1);
  CHECK(!pthread_create(&thread, NULL, launch_one, &w));
  CHECK(REIN(bool, await_stop, struct stop *, unsigned)(stop, PATIENCE));
  CHECK(first_word(&w) == 1); // others go on
  lose();
  REIN(void, end_stop, struct stop *)(stop);
  CHECK(!pthread_join(thread, NULL) && w.status < 0);
  CHECK(!reset(left) && strstr(left, "1 contexts (context 1), 2 queues (the oldest: queue 1 of context 1), 1 buffers (") && strstr(left, "2 kernels (the oldest: kernel add), 1 programs (program 1 (kernels "));
  end_work(&w);
  CHECK(reset(left));
  w = begin_work();
  set_words(&w, 3);
  launch_one(&w);
  CHECK(!w.status && first_word(&w) == 6);
  end_work(&w);
}

static void fails_what_it_is_told(void) {
  struct work w = begin_work();
  cl_int status;
  fail(CREATE_BUFFER, 1, CL_OUT_OF_RESOURCES);
  CHECK(!clCreateBuffer(w.gpu.context, CL_MEM_READ_WRITE, BYTES, NULL, &status) && status == CL_OUT_OF_RESOURCES);
  set_words(&w, 1);
  fail(LAUNCH, 2, CL_INVALID_OPERATION);
  CHECK(REIN(bool, fail_end, struct device *, unsigned, uint64_t, cl_int)(device(), LAUNCH, 3, CL_OUT_OF_RESOURCES));
  launch_one(&w);
  CHECK(!w.status && first_word(&w) == 2);
  launch_one(&w);
  CHECK(w.status == CL_INVALID_OPERATION && first_word(&w) == 2);
  cl_event event;
  launch(w.gpu.queue, w.gpu.twice, WORDS, 0, NULL, &event);
  CHECK(clWaitForEvents(1, &event) == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  OK(clReleaseEvent(event));
  CHECK(first_word(&w) == 2);
  launch_one(&w);
  CHECK(!w.status && first_word(&w) == 4);
  end_work(&w);
}

const struct program reined_programs[] = {
    {.name = "steps-through", .run = steps_through},
    {.name = "stops-and-loses", .run = stops_and_loses},
    {.name = "fails-what-it-is-told", .run = fails_what_it_is_told},
    {0},
};
