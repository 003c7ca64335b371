// heap.h - a heap as the Java side keeps one: page words, tables of frames, devices, claims for them; and touches of the program's memory that survive an error.
#ifndef HEAP_H
#define HEAP_H

#include "block.h"
#include "check.h"
#include "driver.h"
#include "extents.h"
#include "fake_cl.h"
#include "word.h"

#define DEVICES 3
#define PAGE_SHIFT 12
#define PAGE ((size_t)1 << PAGE_SHIFT)
// The call that carries bytes from a device, and to one.
#define READS(shape) ((shape)->way == BY_COPIES ? HMM_CL_ENQUEUE_COPY : HMM_CL_ENQUEUE_READ)
#define WRITES(shape) ((shape)->way == BY_COPIES ? HMM_CL_ENQUEUE_COPY : HMM_CL_ENQUEUE_WRITE)
#define CHUNK 24 // frames of one memory object, but for the last ones: two of them begin among 64 frames that begin in a third

struct fake_device {
  uint64_t frames;
  struct hmm_extents frame_of_page, page_of_frame, region_of_frame;
  _Atomic int32_t *last_use, *chunk_at;
  _Atomic uint64_t *chunk_starts, *memory_of_chunk, *host_of_chunk, *held;
  _Atomic int32_t *block_use;
  void *staging, *slots[HMM_STAGING_SLOTS], *queue; // the program's queue, for kernels
  pthread_mutex_t lock;  // the device's lock of the Java part
};

struct heap {
  struct hmm_pager *pager;
  struct hmm_config config;
  const struct shape *shape;
  uint64_t pages;
  volatile unsigned char *app;
  unsigned char *alias;
  int memfd;
  _Atomic uint64_t *words, *changes;
  _Atomic uint8_t *region_starts;
  _Atomic uint64_t *backed;
  struct fake_device devices[DEVICES];
  uint64_t totals[HMM_COUNTERS];
};

void catch_errors(void); // before the native part has handlers of its own, which then know whom to pass on to

// Page p has frame p on each device; as many frames again are free. All pages are EMPTY.
struct heap *open_heap(const struct shape *shape, uint64_t pages, uint64_t ahead_pages);
struct heap *open_heap_with_touch_timeout(const struct shape *shape, uint64_t pages, uint64_t nanos);
// All of them on device 0, p + 1 in the middle of page p.
struct heap *open_heap_on_device(const struct shape *shape, uint64_t pages, bool write);
// on this file, which it takes over
#define NO_FILE (-1) // but memory that is there from the start, as drivers give it: checked access only
struct heap *open_heap_in(int memory, const struct shape *shape, uint64_t pages, uint64_t ahead_pages);
void close_heap(struct heap *h); // also checks that no event is left over
void free_heap(struct heap *h);  // after hmm_close

// ---- the program

// One byte in the middle of a page. 0, or SIGBUS or SIGSEGV if the touch became an error.
int touch_read(struct heap *h, uint64_t page, unsigned char *value);
int touch_write(struct heap *h, uint64_t page, unsigned char value);
// Words of a page, from the first one on; `words` is as long. Where it becomes an error the first of them may have been read or written.
int touch_words(struct heap *h, uint64_t page, uint64_t first, uint64_t count, bool write, uint64_t *words);
void expect(struct heap *h, uint64_t page, unsigned char value); // reads it without an error
void put(struct heap *h, uint64_t page, unsigned char value);
#define MIDDLE (PAGE / 2 + 40)

// A touch on a thread of its own.
struct toucher {
  struct heap *heap;
  uint64_t page;
  bool write;
  unsigned char value;
  int error;
  _Atomic bool done;
  pthread_t thread;
};
void start_toucher(struct toucher *t, struct heap *h, uint64_t page, bool write, unsigned char value);
void join_toucher(struct toucher *t);

// ---- the Java side

uint64_t word(const struct heap *h, uint64_t page);
enum state state(const struct heap *h, uint64_t page); // when nobody has it claimed for the host: a touch is answered a moment before its claim ends
void set_word(struct heap *h, uint64_t page, uint64_t w);
bool change(struct heap *h, uint64_t page, uint64_t *expected, uint64_t next); // as PageTable does it
void protect(struct heap *h, uint64_t page, uint64_t access); // as RegionChanges does it
void unpin(struct heap *h, uint64_t page, bool write);
int32_t last_use(struct heap *h, unsigned device, uint64_t page); // by a launch

uint64_t claim_for(struct heap *h, uint64_t page, unsigned device, bool write);     // the claimed word, or 0 if somebody has it
void forbid_claimed(struct heap *h, uint64_t page, bool write);
bool copy_in(struct heap *h, uint64_t page, unsigned device); // false if the device does not take it
bool commit(struct heap *h, uint64_t page, unsigned device, uint64_t claimed);
bool move_to(struct heap *h, uint64_t page, unsigned device, bool write);           // all of these, if the page is not there yet
int cross(struct heap *h, uint64_t first, uint64_t end, unsigned device, bool write); // from other devices, as ToDevice does it; how many came, or -errno
void drop_peer(struct heap *h, uint64_t page, unsigned device);                       // as Evictor does it: the frame holds something else then
unsigned char *frame(struct heap *h, unsigned device, uint64_t page);               // the bytes of its frame, where the host reaches them
bool write_frame(struct heap *h, unsigned device, uint64_t page, const void *bytes);
void fill_frame(struct heap *h, unsigned device, uint64_t page, unsigned char value);

int fetch(struct heap *h, uint64_t first, uint64_t end, uint64_t flags);
// Pages that nobody else claims. Returns how many were copied, or -errno.
int relocate(struct heap *h, uint64_t device, uint64_t first, uint64_t end, uint64_t frame, struct hmm_failure *failure);
void count_from_now(struct heap *h);
int64_t counted(struct heap *h, enum hmm_counter c); // since then; both wait until the crew has nothing in hand

// ---- launches

// A launch of one use. The kernel runs `run(arg)` on the queue's thread.
struct launching {
  struct fake_kernel kernel;
  struct hmm_use use;
  struct hmm_launch request;
  struct hmm_failure failure;
  int result;
};
int launch(struct heap *h, struct launching *l, unsigned device, uint64_t first, uint64_t end, bool write);

// A kernel that stays until it is let go.
struct stopped_kernel {
  struct launching launching;
  _Atomic bool running, go;
};
void launch_stopped(struct heap *h, struct stopped_kernel *k, unsigned device, uint64_t first, uint64_t end, bool write);
void let_go(struct stopped_kernel *k); // and waits for it

#endif
