// schedule.c - the arithmetic of emulated time (time.c), by a clock that moves only while somebody sleeps, or as a test
// says: exact, however busy the machine is. What drivers tell of it is looked at in behaviour.c.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned long clock_nanos;

static int read_clock(clockid_t id, struct timespec *t) {
  (void)id;
  *t = (struct timespec){(time_t)(clock_nanos / 1000000000u), (long)(clock_nanos % 1000000000u)};
  return 0;
}

static int sleep_by_clock(clockid_t id, int flags, const struct timespec *t, struct timespec *left) {
  (void)id, (void)flags, (void)left;
  clock_nanos = (unsigned long)t->tv_sec * 1000000000u + (unsigned long)t->tv_nsec;
  return 0;
}

#define clock_gettime read_clock
#define clock_nanosleep sleep_by_clock
#include "../../../main/c/gpu/time.c"

struct options options;
void adds_up_time(void); // as program.h has it, whose struct program is not the layer's

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
      exit(1);                                                             \
    }                                                                      \
  } while (0)

#define MS 1000000u
#define LATENCY (2 * MS)
#define UP_NANOS (8 * MS)    // of MOVED bytes, to the device
#define DOWN_NANOS (16 * MS) // to the host
#define MOVED 1000000u
#define BEGINNING (1000u * MS)

struct engine_model {
  uint64_t free_at;
};

static struct command command(double nanos, uint64_t ready_at) {
  return (struct command){.engine = TO_DEVICE, .moved = nanos > 0 ? MOVED : 0, .speed = nanos > 0 ? MOVED / nanos * 1e9 : 0, .ready_at = ready_at};
}

static void start(struct command *c, const struct engine_model *e) { begin_time(c, e->free_at); }

static void end(struct command *c, struct engine_model *e) {
  end_time(c);
  e->free_at = c->times[3];
}

static void begin_model(uint64_t latency) {
  options = (struct options){.latency_nanos = latency};
  clock_nanos = BEGINNING;
}

static void check_times(const struct command *c, uint64_t started, uint64_t took) {
  CHECK(c->times[2] == started);
  CHECK(c->times[3] == started + took);
}

// A command takes its latency and its bytes; the next of its engine starts where it ended, whatever was done meanwhile.
static void one_engine(void) {
  struct engine_model e = {0};
  begin_model(LATENCY);
  struct command up = command(UP_NANOS, BEGINNING), down = command(DOWN_NANOS, BEGINNING), kernel = command(0, BEGINNING);
  start(&up, &e);
  keep_pace(&up, MOVED / 4);
  CHECK(clock_nanos == BEGINNING + LATENCY + UP_NANOS / 4);
  end(&up, &e);
  check_times(&up, BEGINNING, LATENCY + UP_NANOS);
  CHECK(clock_nanos == up.times[3]);
  clock_nanos += 3 * MS; // the engine's thread is late
  start(&down, &e);
  end(&down, &e);
  check_times(&down, up.times[3], LATENCY + DOWN_NANOS);
  start(&kernel, &e);
  end(&kernel, &e);
  check_times(&kernel, down.times[3], LATENCY);
}

static void two_engines(void) { // on as many threads, which a test has one after the other
  struct engine_model to_device = {0}, to_host = {0};
  begin_model(LATENCY);
  struct command up = command(UP_NANOS, BEGINNING), down = command(DOWN_NANOS, BEGINNING);
  start(&up, &to_device);
  start(&down, &to_host);
  end(&up, &to_device);
  end(&down, &to_host);
  check_times(&up, BEGINNING, LATENCY + UP_NANOS);
  check_times(&down, BEGINNING, LATENCY + DOWN_NANOS);
  struct command after = command(UP_NANOS, down.times[3]); // waits for the other engine
  start(&after, &to_device);
  end(&after, &to_device);
  check_times(&after, down.times[3], LATENCY + UP_NANOS);
}

// Who is late for want of a processor is made up for, but not for longer than that: then it has taken so long.
static void late(void) {
  for (unsigned by = 40 * MS; by <= 60 * MS; by += 20 * MS) {
    struct engine_model e = {0};
    begin_model(LATENCY);
    struct command up = command(UP_NANOS, BEGINNING), next = command(UP_NANOS, BEGINNING);
    uint64_t lateness = by > SLACK_NANOS ? by : 0;
    clock_nanos = BEGINNING + by; // before it is begun
    start(&up, &e);
    end(&up, &e);
    check_times(&up, BEGINNING + lateness, LATENCY + UP_NANOS);
    e = (struct engine_model){0};
    begin_model(LATENCY); // and behind its end
    up = command(UP_NANOS, BEGINNING);
    start(&up, &e);
    clock_nanos = BEGINNING + LATENCY + UP_NANOS + by;
    end(&up, &e);
    check_times(&up, BEGINNING, LATENCY + UP_NANOS + lateness);
    start(&next, &e);
    end(&next, &e);
    check_times(&next, up.times[3], LATENCY + UP_NANOS);
  }
}

static void nothing_asked(void) { // then a command takes what it takes
  struct engine_model e = {BEGINNING - MS};
  begin_model(0);
  struct command c = command(0, BEGINNING - 2 * MS);
  start(&c, &e);
  keep_pace(&c, MOVED);
  CHECK(clock_nanos == BEGINNING);
  clock_nanos += 5;
  end(&c, &e);
  check_times(&c, BEGINNING, 5);
}

void adds_up_time(void) {
  one_engine();
  two_engines();
  late();
  nothing_asked();
}
