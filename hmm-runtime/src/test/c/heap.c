// heap.c - see heap.h.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STAGING_BYTES (HMM_STAGING_SHARES * PAGE) // slots for bulk moves have two pages

static _Thread_local sigjmp_buf error_exit;
static _Thread_local volatile bool touching;

static void on_error(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  if (!touching) check_failed(__FILE__, __LINE__, "touching", "an error that nobody expects, at %p", info->si_addr);
  touching = false;
  siglongjmp(error_exit, signal);
}

// SIGSEGV is for touches after closing; the native part's handler comes first and passes on to it.
void catch_errors(void) {
  struct sigaction action = {.sa_sigaction = on_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
  CHECK(!sigaction(SIGBUS, &action, NULL) && !sigaction(SIGSEGV, &action, NULL));
}

static void *table(uint64_t entries, size_t bytes) {
  void *t = calloc(entries, bytes);
  CHECK(t);
  return t;
}

static struct hmm_extents extents(uint64_t entries, uint64_t step) {
  const uint64_t block_shift = BLOCK_SHIFT - PAGE_SHIFT, blocks = (entries >> block_shift) + 1;
  return (struct hmm_extents){(uint64_t)(uintptr_t)table(blocks, sizeof(uint64_t)), (uint64_t)(uintptr_t)table(blocks << block_shift, sizeof(int32_t)), step, block_shift};
}

static void open_device(struct heap *h, unsigned index) {
  const struct driver *driver = h->shape->driver;
  struct fake_device *d = &h->devices[index];
  enum way way = index == DEVICES - 1 ? driver->third[h->shape->way] : h->shape->way;
  d->frames = 2 * h->pages;
  d->frame_of_page = extents(h->pages, 1);
  d->page_of_frame = extents(d->frames, 1);
  d->region_of_frame = extents(d->frames, 0);
  d->last_use = table(d->frames, sizeof *d->last_use);
  d->chunk_starts = table(d->frames, sizeof *d->chunk_starts);
  d->chunk_at = table(d->frames, sizeof *d->chunk_at);
  d->memory_of_chunk = table(d->frames, sizeof *d->memory_of_chunk);
  d->host_of_chunk = table(d->frames, sizeof *d->host_of_chunk);
  d->held = table(h->pages, sizeof *d->held);
  d->block_use = table(h->pages, sizeof *d->block_use);
  d->queue = driver->queue(index);
  pthread_mutex_init(&d->lock, NULL);
  for (uint64_t first = 0; first < d->frames; first += CHUNK) {
    uint64_t end = first + CHUNK < d->frames ? first + CHUNK : d->frames;
    void *memory = driver->memory(index, (end - first) * PAGE);
    if (way == REACHABLE) d->host_of_chunk[first] = (uint64_t)(uintptr_t)driver->bytes_of(memory);
    d->memory_of_chunk[first] = (uint64_t)(uintptr_t)memory;
    d->chunk_starts[first / 64] |= 1ULL << first % 64;
    for (uint64_t at = (first + 63) / 64; 64 * at < end; at++) d->chunk_at[at] = (int32_t)first;
  }
  for (uint64_t page = 0; page < h->pages; page++) {
    extents_set(&d->frame_of_page, page, (int32_t)page + 1);
    extents_set(&d->page_of_frame, page, (int32_t)page + 1);
  }
  if (way == STAGED) d->staging = driver->staging(index, STAGING_BYTES);
  for (unsigned i = 0; way == BY_COPIES && i < HMM_STAGING_SLOTS; i++) d->slots[i] = driver->slot(index, (i < HMM_BULK_SLOTS ? HMM_BULK_SHARES : 1) * PAGE);
#define ADDRESS(name) .name = (uint64_t)(uintptr_t)d->name
  struct hmm_device_config config = {.frame_of_page = d->frame_of_page, .page_of_frame = d->page_of_frame, .region_of_frame = d->region_of_frame, ADDRESS(last_use), ADDRESS(held), ADDRESS(block_use), ADDRESS(chunk_starts), ADDRESS(chunk_at), ADDRESS(memory_of_chunk),
                                     ADDRESS(host_of_chunk), ADDRESS(staging), .staging_bytes = way == STAGED || way == BY_COPIES ? STAGING_BYTES : 0};
  driver->identify(index, &config.context, &config.device);
  for (unsigned i = 0; i < HMM_STAGING_SLOTS; i++) config.slots[i] = (uint64_t)(uintptr_t)d->slots[i];
  CHECK_EQUAL(hmm_add_device(h->pager, &config), 0);
}

static struct heap *open_with(int memory, const struct shape *shape, uint64_t pages, uint64_t ahead_pages, uint64_t touch_nanos) {
  struct heap *h = table(1, sizeof *h);
  size_t bytes = (size_t)(pages * PAGE);
  h->shape = shape;
  h->pages = pages;
  h->words = table(pages, sizeof *h->words);
  h->changes = table(pages, sizeof *h->changes); // for blocks of one page or more
  h->region_starts = table(pages, sizeof *h->region_starts);
  h->backed = table(pages / 64 + 1, sizeof *h->backed);
  h->memfd = memory;
  bool is_file = memory != NO_FILE;
  CHECK(!is_file || (h->memfd >= 0 && !ftruncate(h->memfd, (off_t)bytes)));
  h->app = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  h->alias = mmap(NULL, bytes, PROT_READ | PROT_WRITE, is_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, h->memfd, 0);
  CHECK(h->app != MAP_FAILED && h->alias != MAP_FAILED);
  struct hmm_config config = {.abi = HMM_ABI, .rung = shape->rung, .page_shift = PAGE_SHIFT, .page_count = pages, .app = (uint64_t)(uintptr_t)h->app, .alias = (uint64_t)(uintptr_t)h->alias,
                              .memfd = (uint64_t)(int64_t)h->memfd, .words = (uint64_t)(uintptr_t)h->words, .changes = (uint64_t)(uintptr_t)h->changes,
                              .region_starts = (uint64_t)(uintptr_t)h->region_starts, .backed = (uint64_t)(uintptr_t)h->backed, .ahead_bytes = ahead_pages * PAGE,
                              .touch_nanos = touch_nanos, .copy_threads = 3};
  shape->driver->calls(config.cl);
  h->config = config;
  CHECK_EQUAL(hmm_open(&config, &h->pager), 0);
  for (unsigned i = 0; i < DEVICES; i++) open_device(h, i);
  return h;
}

static int new_memory(void) { return memfd_create("hmm-test", MFD_CLOEXEC); }

struct heap *open_heap(const struct shape *shape, uint64_t pages, uint64_t ahead_pages) { return open_with(new_memory(), shape, pages, ahead_pages, 0); }

struct heap *open_heap_in(int memory, const struct shape *shape, uint64_t pages, uint64_t ahead_pages) { return open_with(memory, shape, pages, ahead_pages, 0); }

struct heap *open_heap_with_touch_timeout(const struct shape *shape, uint64_t pages, uint64_t nanos) { return open_with(new_memory(), shape, pages, 1, nanos); }

struct heap *open_heap_on_device(const struct shape *shape, uint64_t pages, bool write) {
  struct heap *h = open_heap(shape, pages, 1);
  for (uint64_t page = 0; page < pages; page++) {
    put(h, page, (unsigned char)(page + 1));
    CHECK(move_to(h, page, 0, write));
  }
  return h;
}

void close_heap(struct heap *h) {
  CHECK_EQUAL(hmm_close(h->pager), 0);
  AWAIT(!fake_live_events()); // what has ended is let go a moment later; a leak is for ever
  free_heap(h);
}

void free_heap(struct heap *h) {
  size_t bytes = (size_t)(h->pages * PAGE);
  munmap((void *)(uintptr_t)h->app, bytes);
  munmap(h->alias, bytes);
  if (h->memfd != NO_FILE) close(h->memfd);
  const struct driver *driver = h->shape->driver;
  for (unsigned i = 0; i < DEVICES; i++) {
    struct fake_device *d = &h->devices[i];
    driver->release_queue(d->queue);
    for (unsigned s = 0; s < HMM_STAGING_SLOTS; s++) {
      if (d->slots[s]) driver->free(d->slots[s]);
    }
    if (d->staging) driver->free_staging(i, d->staging);
    for (uint64_t first = 0; first < d->frames; first += CHUNK) driver->free((void *)(uintptr_t)d->memory_of_chunk[first]);
    void *tables[] = {(void *)d->last_use, (void *)d->chunk_starts, (void *)d->chunk_at, (void *)d->memory_of_chunk, (void *)d->host_of_chunk, (void *)d->held, (void *)d->block_use};
    const struct hmm_extents extents[] = {d->frame_of_page, d->page_of_frame, d->region_of_frame};
    for (size_t t = 0; t < sizeof extents / sizeof *extents; t++) {
      free((void *)(uintptr_t)extents[t].extents);
      free((void *)(uintptr_t)extents[t].entries);
    }
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) free(tables[t]);
  }
  free((void *)h->words);
  free((void *)h->changes);
  free((void *)h->region_starts);
  free((void *)h->backed);
  free(h);
}

// ---- the program

// What the sanitizer of threads is not to see: copies of a page may be under way that are for nothing by then, and it can tell whose they are (main.c) only as long as it has not forgotten where they were made.
#define UNSEEN __attribute__((noinline, no_sanitize("thread")))

UNSEEN static void carry_byte(volatile unsigned char *at, bool write, unsigned char *value) {
  if (write) __atomic_store_n(at, *value, __ATOMIC_RELAXED);
  else *value = __atomic_load_n(at, __ATOMIC_RELAXED);
}

// Through a view, where nothing else is to be had.
static int look(struct heap *h, uint64_t page, bool write, unsigned char *value) {
  if (hmm_fetch(h->pager, page, page + 1, HMM_PIN | (write ? HMM_EXCLUSIVE : 0), NULL, NULL, NULL)) return SIGBUS;
  carry_byte(h->alias + page * PAGE + MIDDLE, write, value);
  unpin(h, page, write);
  return 0;
}

static int touch(struct heap *h, uint64_t page, bool write, unsigned char *value) {
  if (h->shape->rung == HMM_CHECKED) return look(h, page, write, value);
  volatile unsigned char *at = h->app + page * PAGE + MIDDLE;
  int error = sigsetjmp(error_exit, 1);
  if (error) return error;
  touching = true;
  carry_byte(at, write, value);
  touching = false;
  return 0;
}

int touch_read(struct heap *h, uint64_t page, unsigned char *value) { return touch(h, page, false, value); }
int touch_write(struct heap *h, uint64_t page, unsigned char value) { return touch(h, page, true, &value); }

UNSEEN static void carry_words(volatile uint64_t *at, uint64_t first, uint64_t end, bool write, uint64_t *words) {
  touching = true;
  for (uint64_t i = first; i < end; i++) {
    if (write) __atomic_store_n(at + i, words[i], __ATOMIC_RELAXED);
    else words[i] = __atomic_load_n(at + i, __ATOMIC_RELAXED);
  }
  touching = false;
}

int touch_words(struct heap *h, uint64_t page, uint64_t first, uint64_t count, bool write, uint64_t *words) {
  int error = sigsetjmp(error_exit, 1);
  if (!error) carry_words((volatile uint64_t *)(h->app + page * PAGE), first, first + count, write, words);
  return error;
}

void expect(struct heap *h, uint64_t page, unsigned char value) {
  unsigned char found = 0;
  CHECK_EQUAL(touch_read(h, page, &found), 0);
  CHECK_EQUAL(found, value);
}

void put(struct heap *h, uint64_t page, unsigned char value) { CHECK_EQUAL(touch_write(h, page, value), 0); }

static void *toucher_main(void *arg) {
  struct toucher *t = arg;
  t->error = touch(t->heap, t->page, t->write, &t->value);
  t->done = true;
  return NULL;
}

void start_toucher(struct toucher *t, struct heap *h, uint64_t page, bool write, unsigned char value) {
  *t = (struct toucher){.heap = h, .page = page, .write = write, .value = value};
  t->thread = start_thread(toucher_main, t);
}

void join_toucher(struct toucher *t) { pthread_join(t->thread, NULL); }

// ---- the Java side

static struct block block_at(const struct heap *h, uint64_t page) {
  const uint64_t size = 1ULL << (BLOCK_SHIFT - PAGE_SHIFT), first = page / size * size;
  return (struct block){&h->changes[page / size], &h->words[first], size < h->pages - first ? size : h->pages - first};
}
uint64_t word(const struct heap *h, uint64_t page) {
  struct block b = block_at(h, page);
  return word_in_block(&b, page % (1ULL << (BLOCK_SHIFT - PAGE_SHIFT)));
}
enum state state(const struct heap *h, uint64_t page) {
  uint64_t w;
  AWAIT(word_state(w = word(h, page)) != TO_HOST);
  return word_state(w);
}
bool change(struct heap *h, uint64_t page, uint64_t *expected, uint64_t next) {
  struct block b = block_at(h, page);
  return change_in_block(&b, page % (1ULL << (BLOCK_SHIFT - PAGE_SHIFT)), expected, next);
}
void set_word(struct heap *h, uint64_t page, uint64_t w) {
  for (uint64_t before = word(h, page); !change(h, page, &before, w);) {}
}

void protect(struct heap *h, uint64_t page, uint64_t access) {
  uint64_t w = word(h, page), next;
  do {
    AWAIT(word_state(w = word(h, page)) != TO_HOST);
    next = (w & ~(DENY_READ | DENY_WRITE)) + (1ULL << VERSION_SHIFT);
    next |= access == 0 ? DENY_READ | DENY_WRITE : access == 1 ? DENY_WRITE : 0;
  } while (!change(h, page, &w, next));
  CHECK_EQUAL(hmm_set_access(h->pager, page, page + 1, access), 0);
}

void unpin(struct heap *h, uint64_t page, bool write) {
  CHECK(word_pins(word(h, page), write));
  atomic_fetch_sub(&h->words[page], 1ULL << (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT));
}

// `before` becomes the word that it was claimed from.
static uint64_t claim_from(struct heap *h, uint64_t page, unsigned device, bool write, uint64_t *before) {
  enum state s = state(h, page);
  uint64_t w = *before = word(h, page);
  if (word_state(w) != s) return 0;
  if ((s != EMPTY && s != HOST && s != SHARED) || pinned_against(w, write)) return 0;
  uint64_t claimed = word_next(w, TO_DEVICE, device, word_sharers(w), write ? WRITE_INTENT : 0);
  return change(h, page, &w, claimed) ? claimed : 0;
}

uint64_t claim_for(struct heap *h, uint64_t page, unsigned device, bool write) {
  uint64_t before;
  return claim_from(h, page, device, write, &before);
}

static void give_claim_back(struct heap *h, uint64_t page, uint64_t claimed, uint64_t before) {
  uint64_t w = word(h, page);
  while (same_version(w, claimed) && !change(h, page, &w, word_state(before) == EMPTY ? word_next(w, EMPTY, 0, 0, 0) : word_shared(w, word_sharers(w)))) {}
}

void forbid_claimed(struct heap *h, uint64_t page, bool write) { CHECK_EQUAL(hmm_forbid(h->pager, page, page + 1, !write), 0); }

int32_t last_use(struct heap *h, unsigned device, uint64_t page) {
  const struct fake_device *d = &h->devices[device];
  int32_t own = d->last_use[extents_get(&d->frame_of_page, page) - 1], block = d->block_use[page >> (BLOCK_SHIFT - PAGE_SHIFT)];
  return own > block ? own : block;
}

// Its memory, and where in that it lies.
static void *find_frame(struct heap *h, unsigned device, uint64_t page, size_t *offset) {
  struct fake_device *d = &h->devices[device];
  int32_t f = extents_get(&d->frame_of_page, page) - 1;
  CHECK(f >= 0);
  *offset = (size_t)(f % CHUNK) << PAGE_SHIFT;
  return (void *)(uintptr_t)d->memory_of_chunk[f / CHUNK * CHUNK];
}

unsigned char *frame(struct heap *h, unsigned device, uint64_t page) {
  size_t offset;
  void *memory = find_frame(h, device, page, &offset);
  return (unsigned char *)h->shape->driver->bytes_of(memory) + offset;
}

bool write_frame(struct heap *h, unsigned device, uint64_t page, const void *bytes) {
  size_t offset;
  void *memory = find_frame(h, device, page, &offset);
  return h->shape->driver->write(device, memory, offset, bytes, PAGE);
}

void fill_frame(struct heap *h, unsigned device, uint64_t page, unsigned char value) {
  unsigned char bytes[PAGE];
  memset(bytes, value, PAGE);
  write_frame(h, device, page, bytes);
}

// A device that has the page already is not written to: a kernel may be reading there.
bool copy_in(struct heap *h, uint64_t page, unsigned device) {
  if (word_sharers(word(h, page)) >> device & 1) return true;
  return write_frame(h, device, page, h->alias + page * PAGE);
}

bool commit(struct heap *h, uint64_t page, unsigned device, uint64_t claimed) {
  uint64_t w = word(h, page);
  while (same_version(w, claimed)) {
    CHECK_EQUAL(word_state(w), TO_DEVICE);
    uint64_t next = w & WRITE_INTENT ? word_next(w, DEVICE, device, 0, 0) : word_next(w, SHARED, 0, word_sharers(w) | 1u << device, 0);
    if (change(h, page, &w, next)) return true;
  }
  return false;
}

int cross(struct heap *h, uint64_t first, uint64_t end, unsigned device, bool write) {
  uint8_t outcomes[64] = {0};
  CHECK(end - first <= sizeof outcomes);
  const struct hmm_crossing crossing = {.device = device, .first = first, .end = end, .writes = write, .region = 7, .clock = 70, .outcomes = (uint64_t)(uintptr_t)outcomes};
  struct hmm_moved moved = {0};
  struct hmm_failure failure;
  int result = hmm_cross(h->pager, &crossing, &moved, &failure), came = 0;
  for (size_t i = 0; i < sizeof outcomes; i++) came += outcomes[i] == HMM_CROSSED;
  CHECK_EQUAL(came, moved.claimed);
  return result ? result : came;
}

void drop_peer(struct heap *h, uint64_t page, unsigned device) {
  uint64_t w = word(h, page);
  while (word_state(w) == PEERS && word_sharers(w) >> device & 1) {
    if (!change(h, page, &w, word_peers(w, word_sharers(w) & ~(1u << device)))) continue;
    CHECK_EQUAL(hmm_await(h->pager, device, page, page + 1, 0), 0);
    fill_frame(h, device, page, 0xEE);
    return;
  }
}

bool move_to(struct heap *h, uint64_t page, unsigned device, bool write) {
  state(h, page);
  if (usable_on(word(h, page), device, write)) return true;
  if (is_away(word(h, page))) return cross(h, page, page + 1, device, write) == 1;
  uint64_t before, claimed = claim_from(h, page, device, write, &before);
  if (!claimed) return false;
  forbid_claimed(h, page, write);
  if (copy_in(h, page, device)) return commit(h, page, device, claimed);
  give_claim_back(h, page, claimed, before);
  return false;
}

int fetch(struct heap *h, uint64_t first, uint64_t end, uint64_t flags) {
  struct hmm_failure failure;
  return hmm_fetch(h->pager, first, end, flags, NULL, NULL, &failure);
}

int relocate(struct heap *h, uint64_t device, uint64_t first, uint64_t end, uint64_t frame, struct hmm_failure *failure) {
  uint64_t copied = 0;
  int moved = hmm_relocate(h->pager, device, first, end, frame, &copied, failure);
  if (moved < 0) {
    CHECK_EQUAL(copied, 0);
    return moved;
  }
  CHECK_EQUAL(moved, end - first);
  return (int)copied;
}

int64_t counted(struct heap *h, enum hmm_counter c) {
  do {
    uint64_t counts[HMM_COUNTERS];
    CHECK_EQUAL(hmm_take_counts(h->pager, counts, HMM_COUNTERS), HMM_COUNTERS);
    for (int i = 0; i < HMM_COUNTERS; i++) h->totals[i] += counts[i];
    // Each message is one fault here, or this is not called. Both are counted before the touch goes on.
  } while (h->totals[HMM_FAULTS_MESSAGES] != h->totals[HMM_FAULTS_READ] + h->totals[HMM_FAULTS_WRITE]);
  return (int64_t)h->totals[c];
}

void count_from_now(struct heap *h) {
  counted(h, HMM_COUNTERS - 1);
  memset(h->totals, 0, sizeof h->totals);
}

// ---- launches

int launch(struct heap *h, struct launching *l, unsigned device, uint64_t first, uint64_t end, bool write) {
  static const size_t one = 1;
  l->use = (struct hmm_use){first, end, write, 0};
  struct hmm_launch request = l->request;
  request.device = device;
  request.uses = (uint64_t)(uintptr_t)&l->use;
  request.use_count = 1;
  request.queue = (uint64_t)(uintptr_t)h->devices[device].queue;
  request.kernel = (uint64_t)(uintptr_t)&l->kernel;
  request.dimensions = 1;
  request.global = (uint64_t)(uintptr_t)&one;
  if (!request.name) request.name = (uint64_t)(uintptr_t)"test_kernel";
  l->result = hmm_launch_enter(h->pager, &request, &l->failure);
  l->request = request;
  return l->result;
}

static void stay(void *arg) {
  struct stopped_kernel *k = arg;
  k->running = true;
  AWAIT(k->go);
}

void launch_stopped(struct heap *h, struct stopped_kernel *k, unsigned device, uint64_t first, uint64_t end, bool write) {
  *k = (struct stopped_kernel){.launching.kernel = {stay, k, 0}};
  CHECK_EQUAL(launch(h, &k->launching, device, first, end, write), 0);
  CHECK(k->launching.request.event);
  AWAIT(k->running);
}

void let_go(struct stopped_kernel *k) {
  k->go = true;
  fake_wait((void *)(uintptr_t)k->launching.request.event);
}
