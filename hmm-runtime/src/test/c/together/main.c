// main.c - the native part, the emulated GPU and a real driver in one process, which sanitizers watch: a heap whose devices are that GPU's, and random work of several threads against a model of
// every byte, while calls and commands of OpenCL fail and a device is lost; in the end another one is.
//
// together RUNG WAY RUNS   uffd or sigsegv; commands, staged or copied; the file runs.cl. What the GPU is like says HMM_EMULATED_GPU. Exit status: 0 passed; 1 not; 2 hangs; 4 the rung is refused here, or there is no device
//
// A page's contents belong to one thread, which alone changes and checks them: by touches, by kernels that the driver has compiled, through views. All else is done by everybody to all pages:
// moving them to a device, from one to another, within one; fetching, giving host memory back, evicting, since a device has fewer frames than there are pages; and touching. Nobody waits
// for a kernel that was enqueued before he touches what it uses. Choices can be repeated, by the seed; threads cannot.
//
// Nothing is suppressed. The driver is not instrumented: a kernel's loads and stores no sanitizer sees, only the model. ThreadSanitizer sees its locks, which may order threads of ours that nothing else orders. Bytes of a
// page lie at three places, the program's, the alias and the host's side of a buffer, of which a sanitizer takes each for memory of its own; that nobody touches one too early the emulated GPU and the model see to.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../gpu/reins.h"
#include "real_cl.h"

#ifndef ROUNDS
#define APART 8 // pages
#define ROUNDS 1500 // of each thread
#endif
#define PAGES 24
#define FRAMES 15 // of each device
#define THREADS 4
#define WORDS (PAGE / sizeof(uint64_t))
#define ITEMS (PAGE / sizeof(uint32_t))
#define MID_LOSS (DEVICES - 1) // the device that is lost while all play
#define LOSSES 3 // before a launch insists, or fewer

struct page {
  uint64_t words[WORDS]; // the model
  void *pending;         // the event of the last kernel that writes it, if nobody has waited for that
};

struct play {
  struct heap *heap;
  pthread_rwlock_t host_lock; // the host lock of the Java part: exclusive for who insists
  struct page pages[PAGES];
  cl_mem parts[DEVICES][FRAMES];
  _Atomic bool lost[DEVICES];
  _Atomic uint64_t launches, insisted, refused, failed, bad_touches, evictions, crossings;
};

struct player {
  struct play *play;
  uint64_t index, random;
  cl_kernel combine[DEVICES], show[DEVICES];
  cl_mem seen[DEVICES];
};

// ---- frames, as DeviceMirror and Evictor have them; the device's lock is held

static bool has_copy(uint64_t w, unsigned device) { return word_state(w) == DEVICE ? word_device(w) == device : word_sharers(w) >> device & 1; }

// False if it stays: a command has failed.
static bool leave_device(struct play *p, unsigned device, uint64_t page) {
  struct heap *h = p->heap;
  while (true) {
    state(h, page);
    uint64_t w = word(h, page);
    unsigned others = word_sharers(w) & ~(1u << device);
    if (word_state(w) != TO_HOST && !has_copy(w, device)) return true;
    if (word_state(w) == DEVICE && fetch(h, page, page + 1, HMM_EXCLUSIVE)) return word_state(word(h, page)) == POISONED;
    if (word_state(w) == SHARED) change(h, page, &w, word_shared(w, others));
    if (word_state(w) == PEERS) change(h, page, &w, word_peers(w, others));
    sched_yield();
  }
}

static bool evict(struct play *p, unsigned device, uint64_t page) {
  struct fake_device *d = &p->heap->devices[device];
  if (!extents_get(&d->frame_of_page, page) || !leave_device(p, device, page)) return false;
  CHECK_EQUAL(hmm_await(p->heap->pager, device, page, page + 1, 0), 0); // a launch that comes now does not find it
  extents_set(&d->page_of_frame, (uint64_t)(extents_get(&d->frame_of_page, page) - 1), 0);
  extents_set(&d->frame_of_page, page, 0);
  p->evictions++;
  return true;
}

static int32_t free_frame(const struct fake_device *d) {
  for (int32_t f = 0; f < FRAMES; f++) {
    if (!extents_get(&d->page_of_frame, (uint64_t)f)) return f;
  }
  return -1;
}

static bool take_frame(struct player *me, unsigned device, uint64_t page, uint64_t keep) {
  struct fake_device *d = &me->play->heap->devices[device];
  if (extents_get(&d->frame_of_page, page)) return true;
  for (int tries = 0; tries < 2 * PAGES && free_frame(d) < 0; tries++) {
    uint64_t victim = next_random(&me->random) % PAGES;
    if (victim != keep) evict(me->play, device, victim);
  }
  int32_t f = free_frame(d);
  if (f < 0) return false;
  extents_set(&d->page_of_frame, (uint64_t)f, (int32_t)page + 1);
  extents_set(&d->frame_of_page, page, f + 1);
  return true;
}

// As PageMove does it: an older launch may still be reading what the frame held last. A later one waits for the device's lock.
static bool bring(struct play *p, unsigned device, uint64_t page, bool write) {
  struct heap *h = p->heap;
  state(h, page);
  if (!usable_on(word(h, page), device, write)) CHECK_EQUAL(hmm_await(h->pager, device, page, page + 1, 0), 0);
  return move_to(h, page, device, write);
}

// ---- what a page's owner does with it

static void expect_words(const struct play *p, uint64_t page, uint64_t first, uint64_t count, const uint64_t *found, const char *where) {
  const uint64_t *expected = p->pages[page].words;
  for (uint64_t i = first; i < first + count; i++) {
    if (found[i] != expected[i]) check_failed(__FILE__, __LINE__, where, "page %lu word %lu: got 0x%lx, expected 0x%lx", page, i, found[i], expected[i]);
  }
}

static bool is_poisoned(const struct play *p, uint64_t page) { return state(p->heap, page) == POISONED; }

// A kernel that has failed has cost what it was to write, a device that is lost what only it had.
static void settle(struct play *p, uint64_t page) {
  struct page *m = &p->pages[page];
  bool failed = m->pending && real_end(m->pending);
  m->pending = NULL;
  p->failed += failed;
  if (failed) CHECK_EQUAL(hmm_await(p->heap->pager, -1, page, page + 1, 0), 0); // until all know
  bool poisoned = is_poisoned(p, page);
  CHECK(poisoned ? failed || p->lost[MID_LOSS] : !failed);
  if (!poisoned) return;
  CHECK_EQUAL(hmm_discard(p->heap->pager, page, page + 1, NULL), 0);
  memset(m->words, 0, sizeof m->words);
}

// Again, for as long as commands fail. What succeeds has waited for the kernel that writes the page, and that has not failed.
static void touch_own(struct player *me, uint64_t page, uint64_t first, uint64_t count, bool write) {
  struct play *p = me->play;
  uint64_t words[WORDS];
  for (uint64_t i = first; write && i < first + count; i++) words[i] = next_random(&me->random);
  while (touch_words(p->heap, page, first, count, write, words)) {
    p->bad_touches++;
    settle(p, page);
  }
  if (write) memcpy(p->pages[page].words + first, words + first, count * sizeof *words);
  else expect_words(p, page, first, count, words, "touch");
}

static void view_own(struct player *me, uint64_t page, bool write, bool map) {
  struct play *p = me->play;
  struct heap *h = p->heap;
  uint64_t *words = (uint64_t *)(void *)(h->alias + page * PAGE);
  while (fetch(h, page, page + 1, HMM_PIN | (write ? HMM_EXCLUSIVE : 0) | (map ? HMM_MAP : 0))) settle(p, page);
  expect_words(p, page, 0, WORDS, words, "view");
  for (uint64_t i = 0; write && i < WORDS; i++) __atomic_store_n(words + i, p->pages[page].words[i] = next_random(&me->random), __ATOMIC_RELAXED); // see write_memory
  unpin(h, page, write);
}

static cl_mem part_of(const struct play *p, unsigned device, uint64_t page) { return p->parts[device][extents_get(&p->heap->devices[device].frame_of_page, page) - 1]; }

static void set_buffer(cl_kernel kernel, cl_uint index, cl_mem memory) { CHECK_EQUAL(clSetKernelArg(kernel, index, sizeof memory, &memory), 0); }

struct launch_of {
  unsigned device;
  cl_kernel kernel;
  bool writes;                    // the page, and reads the other one; else it reads the page
  uint64_t page, other;
};

// Moves and tries the gate, as Launcher does it. The event, or null.
static void *try_launch(struct player *me, const struct launch_of *l, bool insists) {
  static const size_t items = ITEMS;
  struct play *p = me->play;
  struct heap *h = p->heap;
  if (!take_frame(me, l->device, l->page, l->other) || !take_frame(me, l->device, l->other, l->page)) return NULL;
  if (!insists) {
    bring(p, l->device, l->page, l->writes);
    if (l->writes) bring(p, l->device, l->other, false);
  }
  set_buffer(l->kernel, 0, part_of(p, l->device, l->page));
  set_buffer(l->kernel, 1, l->writes ? part_of(p, l->device, l->other) : me->seen[l->device]);
  struct hmm_use uses[] = {{l->page, l->page + 1, l->writes, 0}, {l->other, l->other + 1, 0, 0}};
  struct hmm_launch request = {.device = l->device, .uses = (uint64_t)(uintptr_t)uses, .use_count = l->writes ? 2 : 1, .insist = insists, .queue = (uint64_t)(uintptr_t)h->devices[l->device].queue,
                               .kernel = (uint64_t)(uintptr_t)l->kernel, .dimensions = 1, .global = (uint64_t)(uintptr_t)&items};
  struct hmm_failure failure;
  int result = hmm_launch_enter(h->pager, &request, &failure);
  CHECK(!result || result == -EIO);
  if (result) p->refused++;
  if (request.event) p->launches++;
  if (request.event && insists) p->insisted++;
  return (void *)(uintptr_t)request.event;
}

// Null if that cannot be any more: the device is lost, or with another one a page.
static void *launch_own(struct player *me, const struct launch_of *l) {
  struct play *p = me->play;
  void *event = NULL;
  for (uint64_t losses = next_random(&me->random) % (LOSSES + 1); !event && !p->lost[l->device] && !is_poisoned(p, l->page) && !is_poisoned(p, l->other); losses++) {
    bool insists = losses >= LOSSES;
    if (insists) pthread_rwlock_wrlock(&p->host_lock);
    else pthread_rwlock_rdlock(&p->host_lock);
    pthread_mutex_lock(&p->heap->devices[l->device].lock);
    event = try_launch(me, l, insists);
    pthread_mutex_unlock(&p->heap->devices[l->device].lock);
    pthread_rwlock_unlock(&p->host_lock);
  }
  return event;
}

static void combine(struct player *me, unsigned device, uint64_t page, uint64_t other, uint32_t add) {
  struct play *p = me->play;
  settle(p, page);
  settle(p, other);
  CHECK_EQUAL(clSetKernelArg(me->combine[device], 2, sizeof add, &add), 0);
  p->pages[page].pending = launch_own(me, &(struct launch_of){device, me->combine[device], true, page, other});
  if (!p->pages[page].pending) return;
  uint32_t items[ITEMS], others[ITEMS];
  memcpy(items, p->pages[page].words, PAGE);
  memcpy(others, p->pages[other].words, PAGE);
  for (size_t i = 0; i < ITEMS; i++) items[i] = items[i] * 2654435761u + others[i] + add;
  memcpy(p->pages[page].words, items, PAGE);
}

static void look(struct player *me, unsigned device, uint64_t page) {
  uint64_t seen[WORDS];
  settle(me->play, page);
  void *event = launch_own(me, &(struct launch_of){device, me->show[device], false, page, page});
  if (!event || real_end(event) || !real_read(device, me->seen[device], seen, sizeof seen)) return; // it has failed, and costs nothing
  expect_words(me->play, page, 0, WORDS, seen, "kernel");
}

static void use_own(struct player *me, uint64_t page, unsigned choice, uint64_t random) {
  unsigned device = (unsigned)(random % DEVICES);
  uint64_t few = 1 + random / DEVICES % 8, first = random % (WORDS - 8), other = (page + THREADS * (1 + random % (PAGES / THREADS - 1))) % PAGES;
  switch (choice) {
  case 0:
  case 1: combine(me, device, page, other, (uint32_t)random); break;
  case 2: look(me, device, page); break;
  case 3: touch_own(me, page, 0, WORDS, false); break;
  case 4: touch_own(me, page, 0, WORDS, true); break;
  case 5:
  case 6: touch_own(me, page, first, few, choice == 6); break;
  case 7:
  case 8: view_own(me, page, choice == 8, random & 1); break;
  default:
    settle(me->play, page);
    CHECK_EQUAL(hmm_discard(me->play->heap->pager, page, page + 1, NULL), 0);
    memset(me->play->pages[page].words, 0, PAGE);
  }
}

// ---- what anybody does with any page

static void move_any(struct player *me, unsigned device, uint64_t page, unsigned choice, bool write) {
  struct play *p = me->play;
  struct heap *h = p->heap;
  switch (choice) {
  case 0:
    if (take_frame(me, device, page, page)) bring(p, device, page, write);
    break;
  case 1:
    if (take_frame(me, device, page, page)) p->crossings += cross(h, page, page + 1, device, write) == 1;
    break;
  case 2: CHECK(hmm_release_host(h->pager, device, page, page + 1) >= 0); break; // nothing that was moved there is going to be undone
  case 3: evict(p, device, page); break;
  default:
    if (extents_get(&h->devices[device].frame_of_page, page) && free_frame(&h->devices[device]) >= 0) relocate(h, device, page, page + 1, (uint64_t)free_frame(&h->devices[device]), &(struct hmm_failure){0});
  }
}

static void use_any(struct player *me, uint64_t page, unsigned choice, uint64_t random) {
  struct play *p = me->play;
  struct heap *h = p->heap;
  unsigned device = (unsigned)(random % DEVICES);
  uint64_t end = page + 1 + random / DEVICES % 8 < PAGES ? page + 1 + random / DEVICES % 8 : PAGES;
  unsigned char any;
  if (choice == 0) {
    if (touch_read(h, page, &any)) p->bad_touches++;
    return;
  }
  pthread_rwlock_rdlock(&p->host_lock);
  if (choice <= 2) {
    int result = fetch(h, page, choice == 1 ? end : PAGES, random >> 32 & (HMM_EXCLUSIVE | HMM_MAP));
    CHECK(!result || result == -EIO);
  } else if (choice == 3) {
    CHECK_EQUAL(hmm_await(h->pager, (int64_t)device, page, end, random >> 32 & 1), 0);
  } else {
    pthread_mutex_lock(&h->devices[device].lock);
    move_any(me, device, page, choice - 4, random >> 32 & 1);
    pthread_mutex_unlock(&h->devices[device].lock);
  }
  pthread_rwlock_unlock(&p->host_lock);
}

// ---- what fails

static struct {
  struct device *devices[DEVICES];
  bool (*fail)(struct device *, unsigned call, uint64_t nth, uint64_t count, cl_int status), (*fail_end)(struct device *, unsigned call, uint64_t nth, cl_int status);
  void (*clear)(const struct device *), (*lose)(struct device *);
} reins;

static void find_reins(void) {
  for (unsigned i = 0; i < DEVICES; i++) reins.devices[i] = REIN(struct device *, device, unsigned)(i);
  reins.fail = REIN(bool, fail, struct device *, unsigned, uint64_t, uint64_t, cl_int);
  reins.fail_end = REIN(bool, fail_end, struct device *, unsigned, uint64_t, cl_int);
  reins.clear = REIN(void, clear, const struct device *);
  reins.lose = REIN(void, lose, struct device *);
}

// One of the next calls of a kind fails, or its command does.
static void let_fail(uint64_t random) {
  static const enum rein_call calls[] = {READ, WRITE, COPY, MAP, UNMAP, LAUNCH};
  static const cl_int statuses[] = {CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY};
  struct device *d = reins.devices[random % DEVICES];
  enum rein_call call = calls[(random >> 8) % 6];
  uint64_t nth = 1 + (random >> 16) % 3;
  if (random >> 24 & 1) CHECK(reins.fail(d, call, nth, 1 + (random >> 25) % 2, statuses[(random >> 32) % 3]));
  else CHECK(reins.fail_end(d, call, nth, CL_OUT_OF_RESOURCES));
}

// In the first third of the rounds nothing fails, before the last one a device is lost.
static void *play(void *arg) {
  struct player *me = arg;
  for (int i = 0; i < ROUNDS; i++) {
    uint64_t random = next_random(&me->random), page = (random >> 8 & 0xff) % PAGES;
    if (i > ROUNDS / 3 && (random >> 1) % 6 == 0) let_fail(next_random(&me->random));
    if (i == ROUNDS / 3 * 2 && !me->index) {
      me->play->lost[MID_LOSS] = true; // by then whatever only it has may be gone
      reins.lose(reins.devices[MID_LOSS]);
    }
    if (random & 1) use_any(me, page, (random >> 16 & 0xff) % 9, random >> 24);
    else use_own(me, page - page % THREADS + me->index, (random >> 16 & 0xff) % 10, random >> 24);
  }
  for (uint64_t page = me->index; page < PAGES; page += THREADS) settle(me->play, page);
  return NULL;
}

// ---- the end: a device is lost. What only it had is an error to touch, all else is what it was.

struct loss {
  struct play *play;
  uint64_t index;
  const bool *lost;
};

static void *touch_after_loss(void *arg) {
  struct loss *l = arg;
  uint64_t words[WORDS];
  for (uint64_t page = l->index; page < PAGES; page += THREADS) {
    int error = touch_words(l->play->heap, page, 0, WORDS, false, words);
    CHECK_EQUAL(error, l->lost[page] ? SIGBUS : 0);
    if (!error) expect_words(l->play, page, 0, WORDS, words, "touch after the loss");
  }
  return NULL;
}

static void lose(struct play *p, unsigned device) {
  bool lost[PAGES];
  unsigned count = 0;
  pthread_t threads[THREADS];
  struct loss losses[THREADS];
  struct player me = {.play = p, .random = 99};
  for (uint64_t page = 0; page < FRAMES; page++) AWAIT(take_frame(&me, device, page, page) && bring(p, device, page, page % 2)); // who has served a touch may be at it still
  for (uint64_t page = 0; page < PAGES; page++) count += lost[page] = is_away(word(p->heap, page)) && word_holders(word(p->heap, page)) == 1u << device;
  CHECK(count && count < PAGES);
  reins.lose(reins.devices[device]);
  for (uint64_t i = 0; i < THREADS; i++) {
    losses[i] = (struct loss){p, i, lost};
    threads[i] = start_thread(touch_after_loss, &losses[i]);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(state(p->heap, page) == POISONED, lost[page]);
}

// ---- all of it

struct gathering {
  struct hmm_gather gather;
  cl_kernel kernel;
  cl_mem packed[HMM_BULK_SLOTS];
};

static void open_gathering(struct heap *h, unsigned device, struct gathering *g) {
  *g = (struct gathering){.kernel = real_kernel(device, "gather_runs")};
  g->gather = (struct hmm_gather){.queue = (uint64_t)(uintptr_t)h->shape->driver->queue(device), .kernel = (uint64_t)(uintptr_t)g->kernel, .items = 16};
  for (unsigned i = 0; h->devices[device].staging && i < HMM_BULK_SLOTS; i++) g->gather.packed[i] = (uint64_t)(uintptr_t)(g->packed[i] = real_buffer(device, HMM_BULK_SHARES * PAGE));
  if (h->devices[device].staging || h->devices[device].slots[0]) CHECK_EQUAL(hmm_set_gather(h->pager, device, &g->gather), 0);
}

static void close_gathering(struct heap *h, struct gathering *g) {
  h->shape->driver->release_queue((void *)(uintptr_t)g->gather.queue);
  CHECK_EQUAL(clReleaseKernel(g->kernel), 0);
  for (unsigned i = 0; i < HMM_BULK_SLOTS; i++) {
    if (g->packed[i]) CHECK_EQUAL(clReleaseMemObject(g->packed[i]), 0);
  }
}

// Frames are few, and nobody's in the beginning.
static void open_frames(struct play *p, unsigned device) {
  struct fake_device *d = &p->heap->devices[device];
  for (uint64_t i = 0; i < PAGES; i++) extents_set(&d->frame_of_page, i, 0);
  for (uint64_t f = 0; f < d->frames; f++) extents_set(&d->page_of_frame, f, 0);
  for (uint64_t f = 0; f < FRAMES; f++) p->parts[device][f] = real_part((void *)(uintptr_t)d->memory_of_chunk[f / CHUNK * CHUNK], f % CHUNK * PAGE, PAGE);
}

static void open_player(struct player *me, struct play *p, uint64_t index) {
  *me = (struct player){.play = p, .index = index, .random = 0x9e3779b97f4a7c15 * (index + 1 + p->heap->shape->rung)};
  for (unsigned d = 0; d < DEVICES; d++) {
    me->combine[d] = real_kernel(d, "combine");
    me->show[d] = real_kernel(d, "show");
    me->seen[d] = real_buffer(d, PAGE);
  }
}

static void close_player(struct player *me) {
  for (unsigned d = 0; d < DEVICES; d++) CHECK(!clReleaseKernel(me->combine[d]) && !clReleaseKernel(me->show[d]) && !clReleaseMemObject(me->seen[d]));
}

// What play seldom comes to, once at least: pages that lie apart in a device come home by the kernel, and one goes to another device.
static void begin(struct play *p, unsigned device) {
  struct player me = {.play = p, .random = 1};
  for (int round = 0; round < 4; round++) {
    for (uint64_t i = 0; i < APART; i++) {
      uint64_t page = i * 2 % APART + i * 2 / APART; // the even ones, then the odd ones: neighbours are in frames that are not
      CHECK(take_frame(&me, device, page, page) && bring(p, device, page, true));
    }
    CHECK_EQUAL(fetch(p->heap, 0, APART, HMM_EXCLUSIVE), 0);
  }
  unsigned other = (device + 1) % DEVICES;
  CHECK(bring(p, device, 0, true) && take_frame(&me, other, 0, 0));
  p->crossings += cross(p->heap, 0, 1, other, true) == 1;
}

static void play_all(const struct shape *shape) {
  static struct play p;
  struct player players[THREADS];
  pthread_t threads[THREADS];
  struct gathering gatherings[DEVICES];
  p.heap = open_heap(shape, PAGES, 4);
  pthread_rwlock_init(&p.host_lock, NULL);
  for (unsigned d = 0; d < DEVICES; d++) {
    open_frames(&p, d);
    open_gathering(p.heap, d, &gatherings[d]);
  }
  begin(&p, 0);
  for (uint64_t i = 0; i < THREADS; i++) {
    open_player(&players[i], &p, i);
    threads[i] = start_thread(play, &players[i]);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (unsigned d = 0; d < DEVICES; d++) reins.clear(reins.devices[d]);
  for (uint64_t i = 0; i < THREADS; i++) close_player(&players[i]);
  for (uint64_t page = 0; page < PAGES; page++) touch_own(&players[0], page, 0, WORDS, false);
  uint64_t counts[HMM_COUNTERS];
  CHECK_EQUAL(hmm_take_counts(p.heap->pager, counts, HMM_COUNTERS), HMM_COUNTERS);
  printf("%lu launches, %lu insisted, %lu were refused, %lu have failed; touches brought %lu pages home, and failed %lu times; %lu pages evicted, %lu crossed, %lu gathered\n", p.launches, p.insisted, p.refused, p.failed, counts[HMM_FETCHED],
         p.bad_touches, p.evictions, p.crossings, counts[HMM_GATHERED]);
  CHECK(p.launches && p.insisted && p.refused && p.failed && counts[HMM_FETCHED] && p.bad_touches && p.evictions);
  CHECK(shape->way == COMMANDS || (p.crossings && counts[HMM_GATHERED]));
  lose(&p, 0);
  for (unsigned d = 0; d < DEVICES; d++) {
    for (unsigned f = 0; f < FRAMES; f++) CHECK_EQUAL(clReleaseMemObject(p.parts[d][f]), 0);
  }
  CHECK_EQUAL(hmm_close(p.heap->pager), 0);
  for (unsigned d = 0; d < DEVICES; d++) close_gathering(p.heap, &gatherings[d]);
  free_heap(p.heap);
  pthread_rwlock_destroy(&p.host_lock);
}

noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s:%d: %s ", file, line, condition);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  _exit(1);
}

static void on_alarm(int signal) {
  (void)signal;
  _exit(2);
}

static enum way way_of(const char *name) { return !strcmp(name, "commands") ? COMMANDS : !strcmp(name, "staged") ? STAGED : BY_COPIES; }

// The best of userfaultfd's, or the other one.
static uint64_t rung_of(const char *name) {
  char refused[100];
  for (uint64_t rung = strcmp(name, "uffd") ? HMM_SIGSEGV : HMM_UFFD_SYSCALL; rung <= HMM_SIGSEGV; rung++) {
    if ((rung == HMM_SIGSEGV) == !!strcmp(name, "uffd") && !hmm_probe(rung, refused, sizeof refused)) return rung;
  }
  return HMM_RUNGS;
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  signal(SIGALRM, on_alarm);
  alarm(PATIENCE_SECONDS);
  setvbuf(stdout, NULL, _IOLBF, 0);
  catch_errors();
  const struct shape shape = {rung_of(argv[1]), way_of(argv[2]), true, &real_driver};
  if (shape.rung == HMM_RUNGS) return 4;
  if (!open_real(argv[3])) return 4;
  find_reins();
  play_all(&shape);
  close_real();
  return 0;
}
