// gpu.h - what the files of the emulated GPU share. README.md says what it emulates, and after whom.
//
// One lock guards every table, object and command: enter() takes it, leave() gives it back. It is never held while a
// kernel runs, bytes are moved, a thread sleeps, or code of the program is called. `changed` tells that a command has
// ended. Threads of ours: one for each engine of a device (engine.c), and one that calls back (events.c).
#ifndef HMM_GPU_H
#define HMM_GPU_H

#include <pthread.h>
#include <stdbool.h>

#include "functions.h"
#include "opencl.h"

#define VISIBLE __attribute__((visibility("default")))
#define POISON 0xDB
#define MAX_DEVICES 16
#define MAX_QUEUES 1024 // that live at once

// ---- layer.c: the driver below ----
enum function {
#define INDEX(name) INDEX_##name,
  CL_FUNCTIONS(INDEX) FUNCTIONS
#undef INDEX
};
extern void *driver[FUNCTIONS];
#define DRIVER(name) ((__typeof__(&name))driver[INDEX_##name])
#define DECLARE(name) extern __typeof__(name) gpu_##name;
LAYERED_FUNCTIONS(DECLARE)
#undef DECLARE
void *layered_function(const char *name); // or null

// ---- profile.c: what is emulated ----
enum engine { COMPUTE, TO_DEVICE, TO_HOST, FRONT, ENGINES }; // FRONT ends what neither moves nor computes
struct profile {
  const char *name;
  const char *after;        // whose behaviour it has, for people
  unsigned alignment_bytes; // of sub-buffers
  size_t work_group;        // most work-items of one
  bool unified;             // memory
  bool quarter;             // the largest allocation is a quarter of the memory, else 4 GiB
  bool late_shortage;       // shows at first use by a command, not when the buffer is made
  bool pageable_blocks;     // who transfers memory that is not pinned waits
  bool allocated_in_place;  // ALLOC_HOST_PTR is host memory that the device works in
  bool used_in_place;       // so is well aligned USE_HOST_PTR
  bool larger_on_request;   // buffers may be larger than the largest allocation if they and their kernels' programs ask
  bool svm;                 // coarse-grained; else none
  cl_int after_loss;        // what calls return then
  enum engine engine_of[ENGINES];
};
enum offences { ABORT, REPORT };
enum callbacks { LATE, LOST, NEVER };
enum { // calls that a test may count, fail and stop (reins.c)
  CREATE_BUFFER,
  CREATE_SUB_BUFFER,
  BUILD_PROGRAM,
  CREATE_KERNEL,
  FIRST_COMMAND,
  READ = FIRST_COMMAND,
  WRITE,
  COPY,
  FILL,
  LAUNCH,
  MAP,
  UNMAP,
  CALLS
};
struct at_command { // of that number, counted from 1; 0: none
  uint64_t command;
  cl_int status;
};
struct options {
  const struct profile *profile;
  uint64_t memory_bytes, allocation_bytes;
  uint64_t kernel_bytes; // that a launch takes besides its buffers
  double to_device, to_host, within; // bytes a second; 0: as fast as it goes
  uint64_t latency_nanos;
  uint64_t seed; // 0: host memory is read and written as late as can be, and who is ready first runs first
  struct at_command fail, fail_event;
  uint64_t lose_at;
  cl_bitfield svm; // its kinds, as CL_DEVICE_SVM_CAPABILITIES has them
  enum offences offences;
  bool leaks;
  bool watch; // whether host memory of buffers is closed while it is not mapped
  enum callbacks callbacks;
};
extern struct options options;
extern const struct profile profiles[];
extern const unsigned profile_count;
// False, and why, if the text is not understood. Null is the first profile.
bool parse_options(const char *text, struct options *result, char *error, size_t error_bytes);
uint64_t next_random(void); // under the lock

// ---- offences.c ----
// Tells in one line on standard error what the program did that OpenCL does not define, and aborts unless told to go
// on.
__attribute__((format(printf, 2, 3))) void offend(const char *what, const char *format, ...);
struct context;
// The host may touch it only while it is mapped. What it is, its size and its context are told of who does otherwise.
bool watch_memory(const void *first, size_t room, const char *what, size_t bytes, const struct context *c);
void unwatch_memory(const void *first);

// ---- objects.c ----
enum kind { CONTEXT, QUEUE, MEMORY, EVENT, KERNEL, PROGRAM, SVM };
struct object {
  enum kind kind;
  void *handle;        // the driver's, which the program has
  unsigned refs;       // the program's
  unsigned uses;       // ours; while the program has a reference, that is one of them
  uint64_t serial;     // tells it from an earlier object with this handle
  bool listed;         // in the table
  bool destroyed;      // what it stood for is gone
  struct object *next; // there
  struct object *doomed;
};
void enter(void);
void leave(void);            // and destroys what nobody uses any more
extern pthread_mutex_t lock; // for waits for a condition
extern pthread_cond_t changed;
void list_object(struct object *o); // which the program has from now on
// Null if the layer has not made it. One that was released is an offence.
void *find_object(const void *handle, enum kind kind, const char *call);
void *find_serial(const void *handle, enum kind kind, uint64_t serial); // null if it was released
cl_int retain_object(const void *handle, enum kind kind, const char *call, cl_int unknown);
cl_int release_object(const void *handle, enum kind kind, const char *call, cl_int unknown);
void use_object(struct object *o);
void unuse_object(struct object *o);
void each_object(enum kind kind, void (*visit)(struct object *o, void *with), void *with);
unsigned count_objects(enum kind kind);
void describe_objects(char *text, size_t room); // what the program holds; empty if that is nothing
void tell_leaks(void);
// Copies an answer out as OpenCL's queries do.
cl_int answer(const void *value, size_t bytes, size_t room, void *out, size_t *needed);

// ---- device.c ----
struct command;
struct engine_state {
  pthread_t thread;
  pthread_cond_t work;
  struct command *first, *last; // ready
  uint64_t free_at;             // in emulated time
  struct device *device;
};
struct device {
  cl_device_id id;
  struct engine_state engines[ENGINES];
  uint64_t used_bytes;
  bool lost;
  // By the engine that commands ask for, whichever the profile gives them:
  bool held[ENGINES];
  uint64_t steps[ENGINES], stepped[ENGINES]; // of a held one: granted and not begun; ended
  uint64_t submitted[ENGINES], completed[ENGINES];
  uint64_t calls[CALLS];
};
struct device *device_of(cl_device_id id); // made at first sight; null if that fails
struct device *each_device(unsigned at);   // in that order; null behind the last
unsigned device_number(const struct device *d);

// ---- context.c ----
struct context {
  struct object object;
  unsigned number; // from 1
  unsigned count;
  struct device *devices[MAX_DEVICES];
  cl_command_queue inner[MAX_DEVICES]; // of each device, out of order: where kernels run
};
void destroy_context(struct context *c);
struct device *only_device(const struct context *c); // null if it has several
struct table_form { // where hmm.clh has its page table, as the program was told when it was built
  unsigned shift;   // log2 of the page; 0: it has none
  size_t at, pages; // first entry, in words; entries
};
struct built {
  bool takes_large; // its kernels work in buffers larger than the largest allocation
  struct table_form table;
};
struct program {
  struct object object;
  struct device *device; // the only one of its context, or null
  struct built built;
  unsigned number;   // from 1
  char kernels[128]; // their names, once it is built
};
void destroy_program(struct program *p);
struct built how_built(cl_program program, const char *call);

// ---- poison.c ----
char *poisoned_memory(size_t bytes); // of whole pages; null if that fails
void free_poisoned(char *first, size_t room);
void populate(char *first, size_t bytes); // has memory from now on, so that emulated time does not wait for it
int new_file(size_t bytes);               // in memory; negative if that fails

// ---- memory.c, view.c ----
struct doer { // a command, as offences name it when it may be gone
  const char *call;
  unsigned number, queue; // each counted from 1 since the process began
  const char *kernel;     // that it launches, or null
};
struct mapping {
  struct mapping *next;
  char *address;
  size_t first, end; // bytes of the root
  cl_bitfield flags;
  bool open; // its command has ended: the host may touch it
};
struct access {
  size_t first, end; // bytes of the root
  uint64_t sequence; // of the command in its queue
  unsigned slot;     // of the queue
  bool write;
  struct doer by;
  struct frames *frames; // which of these bytes; null: all of them
};
struct notice {
  struct notice *next;
  memory_notice function;
  void *user;
};
struct memory {
  struct object object;
  struct context *context;
  struct memory *root; // itself, unless it is a sub-buffer
  cl_bitfield flags;
  size_t origin, bytes; // of the root's
  void *user_pointer;
  struct notice *notices;
  // Of a root:
  char *device; // its bytes as kernels see them
  char *host;   // as the host sees them while mapped; null before the first mapping
  char *shadow; // the same, never protected; equal to `device` if that works in it
  size_t room;  // bytes of each
  bool own_device, own_host, in_place, filled;
  struct memory *next_hosted; // of those whose host side is ours
  uint32_t committed;         // devices that have room for it, one bit each
  struct mapping *mappings;
  struct access *accesses; // of commands that may still conflict with later ones
  unsigned access_count, access_room;
};
cl_int commit(struct memory *m, struct device *d); // takes room on the device at first use
uint64_t free_bytes(const struct device *d);
void destroy_memory(struct memory *m);
int unmapped_protection(void); // of host memory while it is not mapped
bool give_host(struct memory *root); // a side for the host, before it is mapped; inside
void note_hosted(struct memory *root);
void forget_hosted(struct memory *root);
// Protects the host's side as the mappings ask, where `m` is or was.
void set_view(struct memory *root, const struct mapping *m);
void free_mapping(struct mapping **list, struct mapping *m);
void check_mapped(const struct doer *by, const struct memory *m, size_t offset, size_t bytes, bool write);
// The buffer whose host side this is, or null. Such memory is pinned; that it is not mapped is an offence.
struct memory *pinned_at(const struct doer *by, const void *host, size_t bytes);

// ---- svm.c ----
struct svm {
  struct object object; // its handle is the address
  struct context *context;
  void *driver_memory;
  char *base; // of whole pages
  size_t bytes, room;
  bool fine;        // host and device use it at a time: it is never closed
  unsigned running; // commands of the device that may use it
  struct mapping *mappings;
};
void open_svm(struct context *c, bool open); // while a command of the device may use shared memory
void check_svm_mapped(const struct doer *by, struct context *c);
void destroy_svm(struct svm *s);
size_t svm_bytes(const void *address); // from there to the end of what clSVMAlloc gave; 0 if it did not; inside

// ---- kernel.c ----
struct argument {
  cl_mem memory; // null if it is something else
  uint64_t serial;
  const void *svm; // or shared memory
  bool constant;
};
#define RUNS 64 // these three as in runs.cl
#define RUN_BLOCK 4096
struct runs {
  cl_uint at[RUNS + 1], place[RUNS];
};
struct kernel {
  struct object object;
  cl_uint count;
  struct argument *arguments;
  bool svm;
  struct built built;
  cl_uint image; // if it has a table: the argument that its frames lie in. The table is the second one behind it
  bool carries;  // it is one of runs.cl: what it is told with `runs` is what it uses of its first argument and its third
  struct runs runs;
  const char *name; // stays
};
void destroy_kernel(struct kernel *k);

// ---- queue.c ----
struct queue {
  struct object object;
  unsigned number, context_number; // from 1
  struct context *context;
  struct device *device;
  cl_command_queue inner;
  bool in_order, profiling;
  unsigned slot;
  uint64_t sequence;
  uint64_t known[MAX_QUEUES];   // what the next command comes after, by slots
  uint64_t all[MAX_QUEUES];     // what a barrier comes after
  struct command *first, *last; // not ended
  struct command *barrier;      // not ended, of an out-of-order queue
};
void flush_queue(struct queue *q);
void destroy_queue(struct queue *q);

// ---- command.c ----
struct box { // bytes in up to three dimensions
  char *at;
  size_t row, slice;
};
struct callback {
  struct callback *next;
  cl_int at;
  event_notice function;
  void *user;
};
struct dependent {
  struct command *command;
  bool named; // in a wait list: fails with it
};
struct command {
  struct object object; // its handle is a user event of the driver's, or null if the program has no event of it
  cl_uint type;
  struct doer by;
  struct queue *queue; // null for a user event
  struct context *context;
  enum engine engine;
  cl_int status;
  bool flushed;
  bool gated;       // comes after a user event that is not set
  bool dead;        // a command it waits for has failed
  cl_int ends;      // with that status, and does not run; 0: it runs
  bool loses;       // the device, when it would run
  bool stepped;     // runs although its engine is held
  unsigned pending; // commands it comes after
  struct dependent *dependents;
  unsigned dependent_count, dependent_room;
  struct command *previous, *next, *ready; // of the queue; of the engine
  uint64_t times[5];                       // queued, submitted, started, ended, complete
  uint64_t ready_at, due;                  // in emulated time; due 0: when it is done
  uint64_t sequence, *known;
  unsigned known_count;
  struct callback *callbacks;
  struct memory **memories; // used
  unsigned memory_count;
  struct access *accesses; // of `accessed`
  struct memory **accessed;
  unsigned access_count;
  // The work:
  cl_int (*run)(struct command *c);
  struct box to, from;
  size_t size[3];
  size_t moved;
  double speed; // bytes a second, or 0
  bool early;   // touches host memory as it begins
  bool pageable;
  unsigned char pattern[128];
  size_t pattern_bytes;
  struct memory *root; // of the mapping
  struct svm *svm;
  struct mapping *mapping;
  cl_event gate, kernel;
  struct frames *frames; // of a kernel that has a page table, which lies in `table`
  const uint32_t *table;
  size_t table_pages;
  bool uses_svm;
  svm_freer freer;
  void **freed, *freer_user;
  cl_uint freed_count;
};
// Begins an enqueue call: enters, and stays inside if it returns a queue.
struct queue *begin(cl_command_queue handle, const char *call, cl_int *status);
struct command *new_command(struct queue *q, cl_uint type, const char *call, cl_int (*run)(struct command *),
                            enum engine engine);
// The command uses these bytes of it; false if there is no memory to note that.
bool uses(struct command *c, struct memory *m, size_t offset, size_t bytes, bool write);
bool keeps(struct command *c, struct memory *m); // only that it stays
#define DOER 160
const char *name_doer(const struct doer *by, char text[DOER]); // returns the text
// Both end an enqueue call, and leave. A command that is refused is gone.
cl_int submit(struct command *c, WAIT_LIST, bool blocks);
cl_int refuse(struct command *c, cl_int status);
cl_int check_waits(const struct context *context, cl_uint waits, const cl_event *wait, const char *call);
void end_command(struct command *c, cl_int status);
cl_int wait_for(struct command *c); // flushes; inside
void destroy_command(struct command *c);
void lose_device(struct device *d);
void become_ready(struct command *c);
cl_int run_nothing(struct command *c);
cl_int run_transfer(struct command *c);

// ---- order.c ----
unsigned take_slot(void);
void free_slot(unsigned slot);
bool place_in_order(struct command *c,
                    bool after_all); // after its dependencies were learnt; false if there is no memory
void learn_command(struct command *c, const struct command *earlier);
bool new_clock(struct command *c);
void host_learns(const struct command *c);
void host_learns_queue(const struct queue *q);
void check_order(struct command *c);
void forget_accesses(struct access *accesses, unsigned count);

// ---- frames.c ----
// Both use these bytes, one of them writing. Then each becomes what it does at the first such place.
bool conflict(struct access *a, struct access *b);
bool is_doubtful(const struct access *a, const struct access *b); // that is not known yet; then it is looked at again
struct frames *use_frames(struct frames *f); // null is none, here and below
void unuse_frames(struct frames *f);
bool take_frames(struct command *c, unsigned access, const struct table_form *form, const uint32_t *entries);
void know_frames(struct command *c);  // it runs
void have_no_frames(struct command *c); // it has ended; if it did not run, it has used nothing
void tell_conflict(const struct memory *root, const struct access *a, const struct access *earlier);

// ---- reins.c ----
struct reined { // what becomes of a call
  cl_int refused; // 0: it is carried out
  cl_int ends;    // as in its command
  bool loses;
};
// Begins a call that may be counted, refused, stopped, and lose the device: finds its object, or null as find_object()
// does. A thread that is stopped is outside meanwhile, so nothing that was found before is to be relied upon.
void *begin_call(const void *handle, enum kind kind, const char *call, struct reined *reined);
void count_submitted(const struct command *c);
void count_completed(const struct command *c);
bool may_run(const struct command *c); // it is not held
void begin_step(struct command *c);    // it runs: if it is held, by a step
void rein_by_options(void);            // fail, fail-event and lose

// ---- engine.c, time.c ----
bool start_engines(struct device *d);
void make_ready(struct command *c);
void wake_engines(struct device *d); // what was held may run
int start_thread(pthread_t *thread, void *(*main)(void *), void *with);
uint64_t now_nanos(void);
void sleep_until(uint64_t nanos);
void begin_time(struct command *c, uint64_t free_at);
void keep_pace(const struct command *c, size_t bytes); // sleeps until so many bytes are due
void end_time(struct command *c);

// ---- events.c ----
struct command *find_event(cl_event event, const char *call);
void call_back(struct command *c); // whoever waits for its status

#endif
