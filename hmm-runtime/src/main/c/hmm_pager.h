// hmm_pager.h - the native part of hmm4j: everything that must go on while Java threads are stopped.
//
// A Java thread that faults is stopped inside the kernel in Java state and cannot reach a safepoint. So whatever serves its fault, and whatever that waits for, is here:
// the trap (uffd.c, sigsegv.c, sigbus.c, signals.c), the way home (home.c), the launch gate (gate.c). Nothing here calls Java;
// what it waits for is another thread in here or an OpenCL
// event that has been flushed.
//
// All structures are 64-bit words, so that Java can fill them without knowing C. Calls return 0 or -errno; details are in hmm_failure. Threads: any, unless it says so.
#ifndef HMM_PAGER_H
#define HMM_PAGER_H

#include <stdint.h>

#define HMM_API __attribute__((visibility("default")))

struct hmm_pager; // one heap

#define HMM_ABI 23
#define HMM_MAX_DEVICES 16
#define HMM_NAME_BYTES 64 // of a kernel's name here, with the zero at its end; longer ones are cut off
#define HMM_MAX_PAGERS 256 // open at once; one more is -EUSERS

// How host accesses are noticed.
enum hmm_rung {
  HMM_UFFD_SYSCALL,  // userfaultfd(2), also for accesses from within system calls
  HMM_UFFD_DEVICE,   // the same through /dev/userfaultfd
  HMM_UFFD_USER,     // userfaultfd(2) for accesses from user mode only
  HMM_SIGSEGV,       // memory protection and a signal handler; user mode only
  HMM_UFFD_SIGBUS,   // userfaultfd(2) that sends a signal to the thread that touches, which serves the touch itself where nobody has to be waited for; user mode only
  HMM_CHECKED,       // not at all: the host reaches pages by hmm_fetch only, and nothing is mapped where the program's pointers point
  HMM_RUNGS
};

// OpenCL entry points, in the order of hmm_config.cl.
enum hmm_cl {
  HMM_CL_CREATE_QUEUE,
  HMM_CL_RELEASE_QUEUE,
  HMM_CL_ENQUEUE_READ,
  HMM_CL_ENQUEUE_WRITE,
  HMM_CL_ENQUEUE_COPY,
  HMM_CL_ENQUEUE_KERNEL,
  HMM_CL_FLUSH,
  HMM_CL_FINISH,
  HMM_CL_WAIT,
  HMM_CL_EVENT_INFO,
  HMM_CL_RETAIN_EVENT,
  HMM_CL_RELEASE_EVENT,
  HMM_CL_SET_CALLBACK,
  HMM_CL_MAP,
  HMM_CL_UNMAP,
  HMM_CL_SET_ARG,
  HMM_CL_COUNT
};

struct hmm_config {
  uint64_t abi;            // HMM_ABI
  uint64_t rung;           // enum hmm_rung
  uint64_t page_shift;     // log2 of the page size
  uint64_t page_count;
  uint64_t app;            // address of the program's mapping: reserved, nothing mapped yet
  uint64_t alias;          // address of the runtime's mapping
  uint64_t memfd;          // descriptor of the memory behind both; negative, with HMM_CHECKED: there is none, and all of the alias has memory
  uint64_t words;          // uint64_t[page_count]
  uint64_t changes;        // uint64_t for each 2 MiB of pages: see block.h
  uint64_t region_starts;  // uint8_t[page_count]: 1 where a region begins or free space behind one; fetching ahead stops there
  uint64_t backed;         // a bit for each page, in uint64_t: 1 if it has host memory for sure; cleared before that is taken away
  uint64_t ahead_bytes;    // most that one fault brings along
  uint64_t touch_nanos;    // how long a touch waits for launches, and a kernel for a view, before it becomes an error; 0: for ever
  uint64_t copy_threads;   // that share a bulk copy between slots and pages, its owner among them
  uint64_t cl[HMM_CL_COUNT];
};

#define HMM_BULK_SLOTS 3
#define HMM_FAULT_SLOTS 2
#define HMM_STAGING_SLOTS (HMM_BULK_SLOTS + HMM_FAULT_SLOTS)
#define HMM_BULK_SHARES 2
#define HMM_STAGING_SHARES (HMM_BULK_SLOTS * HMM_BULK_SHARES + HMM_FAULT_SLOTS)

// Numbers by index that mostly go on from one to the next (extents.h).
struct hmm_extents {
  uint64_t extents;     // uint64_t for each block of entries
  uint64_t entries;     // int32_t for each, where they are scattered
  uint64_t step;        // by how much neighbours differ that go on
  uint64_t block_shift; // of the number of entries in a block
};

// One device. Tables are indexed by page or by frame and belong to Java, which fills a frame's entries before it gives the frame to a page.
struct hmm_device_config {
  uint64_t context, device;    // cl_context, cl_device_id
  struct hmm_extents frame_of_page;   // frame + 1
  struct hmm_extents page_of_frame;   // page + 1
  struct hmm_extents region_of_frame;
  uint64_t last_use;           // int32_t: clock of the last launch
  uint64_t held;               // uint64_t for each 2 MiB of pages: what launches have found of them (block.h)
  uint64_t block_use;          // int32_t for the same: clock of the last launch that used all of them
  uint64_t chunk_starts;       // a bit for each frame: a memory object begins there
  uint64_t chunk_at;           // int32_t for each 64 frames: first frame of the memory object in which they begin
  uint64_t memory_of_chunk;    // by first frame: cl_mem
  uint64_t host_of_chunk;      // the same: address at which the host reaches the memory object, 0 if only copy commands do
  // Pinned memory for copies: of its eighths each slot for bulk moves takes two, each slot for faults one. Either one mapping of it all, whose slots lie one behind the other in
  // that order, or a cl_mem for each slot. Neither: the device reads and writes host memory by itself.
  uint64_t staging, staging_bytes;
  uint64_t slots[HMM_STAGING_SLOTS];
};

// A kernel that carries runs of device memory into one piece (`gather_runs` of runs.cl), for what comes home from places that lie apart. All of it is ours alone, until the heap is closed.
#define HMM_RUNS 64            // of one command
#define HMM_RUN_BLOCK 4096     // bytes; what runs are multiples of
struct hmm_gather {
  uint64_t queue, kernel;      // cl_command_queue, cl_kernel
  uint64_t items;              // of a work-group, of which there is one for each block
  uint64_t measured;           // whether it carries only what it has shown to carry sooner than a command for each run does; else whatever it can
  uint64_t packed[HMM_BULK_SLOTS]; // cl_mem, each as large as a slot; 0 where slots are buffers, which take it themselves
};

// What hmm_fetch shall do.
enum hmm_fetch_flags {
  HMM_EXCLUSIVE = 1, // the host's copy becomes the only one; else it becomes valid beside the others
  HMM_PIN = 2,       // count a view in each word, and refuse what the protection forbids
  HMM_MAP = 4,       // map what arrives, so that touching it does not fault
  HMM_STAY = 64,     // take nothing from a device: HMM_WOULD_MOVE instead
  // For kernels that use host pages where they are: pages that nobody has touched become the host's, and all get memory.
  HMM_IN_PLACE = 256,
  HMM_MASKED = 1024, // only those pages whose outcome is 0 before; the others' is to be HMM_UNASKED. Not with HMM_PIN
};
#define HMM_UNASKED 255

struct hmm_moved {
  uint64_t claimed;   // pages that changed state under a claim of ours
  uint64_t copied;    // of these, pages that were copied from a device
  uint64_t devices;   // from which: bit d for device d
  uint64_t runs;      // of device memory in which those lay that came through slots
};

// Pages that come to a device from others.
struct hmm_crossing {
  uint64_t device;      // where they are to come; they have frames there
  uint64_t first, end;
  uint64_t writes;      // the device becomes their owner; else it gets a copy to read, and those that have one keep theirs
  uint64_t region;      // whose bytes the frames hold then
  uint64_t clock;       // what to note as their last use
  uint64_t outcomes;    // uint8_t by page, or 0: HMM_CROSSED for those that came
};
#define HMM_CROSSED 2

enum hmm_reason {
  HMM_REFUSED = 1,     // the word of the page says why: protection, lost contents, no region
  HMM_TOO_MANY_PINS,
  HMM_OPENCL,          // status and call
  HMM_SYSTEM,          // errno and call; ENOSPC means that there is no host memory for the page
  HMM_WOULD_MOVE,      // a device has the page, and it is to stay there
};

enum hmm_call {
  HMM_CALL_NONE,
  HMM_CALL_READ,
  HMM_CALL_WRITE,
  HMM_CALL_COPY,
  HMM_CALL_KERNEL,
  HMM_CALL_MAP,    // ioctl or mprotect
  HMM_CALL_FORBID, // ioctl, madvise or mprotect
  HMM_CALL_PUNCH,  // fallocate
};

struct hmm_failure {
  int64_t reason;  // enum hmm_reason
  int64_t page;
  int64_t word;
  int64_t status;  // OpenCL status or errno
  int64_t call;    // enum hmm_call
  int64_t device;
};

// Pages that a launch uses.
struct hmm_use {
  uint64_t first, end;
  uint64_t writes;
  uint64_t in_place; // the kernel is given host memory: the pages must be at home until it has ended, with memory
};

// What became of a page that a launch used and insisting moved.
struct hmm_move {
  uint64_t committed; // the word it got; 0 if it was not moved
  uint64_t before;    // the word from before
};

// A page that Java has claimed for a launch that overwrites it: its frame does not have the contents. What only other devices have the launch claims itself, if it does not insist.
struct hmm_overwrite {
  uint64_t page;
  uint64_t claim;  // in: the word with which it was claimed, if it was; 0 afterwards if it was lost
  uint64_t before; // the word from before; its state says which of the two
};

// Entries of a device's page table that a launch needs (see table.c). An entry is the frame within the paged memory object, shifted left by two, and two bits: may be written, may be read.
struct hmm_table {
  uint64_t image;                  // uint32_t by page: what the device has; all bits set where that is not known
  uint64_t memory, offset;         // cl_mem, and where the first entry is in it
  uint64_t host;                   // address at which the host reaches the first entry, 0 if only commands do
  uint64_t first_frame, frames;    // of the paged memory object
  uint64_t shown, shown_count;     // struct hmm_use[]: entries that are to say what the words allow
  uint64_t cleared, cleared_count; // struct hmm_use[]: entries that are to be zero
  uint64_t bytes;                  // out: written to the device
};

// Bytes of an argument that the device cannot start a pointer at: the kernel gets a copy of them, made right before it on its own queue, which goes back right after it.
struct hmm_argument_copy {
  uint64_t from, from_offset; // cl_mem of the frames; or 0 and an address, where kernels get the host's own
  uint64_t to, bytes;         // cl_mem that the kernel gets
  uint64_t back;              // whether the kernel writes
};

struct hmm_launch {
  uint64_t device;
  uint64_t uses, use_count;        // struct hmm_use[]
  uint64_t windows, window_count;  // struct hmm_use[], with insist: what region_ids are of. That the frames of each argument lie in one piece, and do until this returns, is the caller's business
  uint64_t clock;                  // what to note as last use
  uint64_t insist;                 // move what is missing under claims instead of giving up
  uint64_t region_ids;             // with insist: int32_t[] by window, whose bytes its frames hold then
  uint64_t queue, kernel;          // cl_command_queue, cl_kernel
  uint64_t dimensions, global, local; // size_t[]; local may be 0
  uint64_t event;                  // out: cl_event with a reference for the caller, also where the call fails behind the kernel: that has run, and what it wrote is lost. 0 if nothing has run
  uint64_t missing;                // out: the first page that was missing
  uint64_t moved;                  // out: pages moved by insisting
  uint64_t name;                   // of the kernel, for people: char[] with a zero at the end, or 0
  uint64_t moves;                  // with insist: struct hmm_move[], zeros, one for each page of each use in their order, or 0; what hmm_undo needs if there was no launch
  uint64_t paged;                  // of the uses the last so many: what the kernel finds through the table, as far as it is there; all others must be there as a whole
  uint64_t table;                  // struct hmm_table, or 0
  uint64_t copies, copy_count;     // struct hmm_argument_copy[]
  uint64_t number;                 // out: of the launch, for hmm_violation_of; in for hmm_launch_go
  uint64_t offset;                 // size_t[] by dimension: where work-items are numbered from; may be 0
  uint64_t overwrites, overwrite_count; // struct hmm_overwrite[], in order of pages: the device's if the kernel was enqueued, else what they were, or claimed as before
};

// A launch that was enqueued and ended badly. What it was to write is poisoned.
struct hmm_failed_launch {
  uint64_t first, end; // pages of one use that it was to write
  int64_t status;      // of its event
  uint64_t device;
  char name[HMM_NAME_BYTES]; // of the kernel
};

// Page states, word layout, and what is said of blocks; Java compares these numbers with its own before anything else. Returns how many there are.
HMM_API int hmm_abi(uint64_t *numbers, int capacity);

// Tries a rung with a real fault, in memory of its own. 0, or -errno and the name of what was refused.
HMM_API int hmm_probe(uint64_t rung, char *what, uint64_t what_bytes);

// Maps `app` and starts serving its faults. The OpenCL calls may be 0 if there is no device.
HMM_API int hmm_open(const struct hmm_config *config, struct hmm_pager **pager);
// A device with the next number. 0, -errno, or an OpenCL status with its sign turned.
HMM_API int hmm_add_device(struct hmm_pager *pager, const struct hmm_device_config *config);

// A device's kernel for what lies apart. The first slots that it could carry go both ways: it must carry right, and sooner.
HMM_API int hmm_set_gather(struct hmm_pager *pager, uint64_t device, const struct hmm_gather *gather);

// Stops serving faults. Nobody may touch `app` afterwards, and no other call be under way. Waits for launches, and once more for commands that were given up.
// All is gone afterwards, also with -errno: then a touch of `app` may find the file's memory, until that range is
// unmapped. With -EBUSY a command of a lost device may still write to `alias`: that stays mapped.
HMM_API int hmm_close(struct hmm_pager *pager);

// Brings pages home. `outcomes`, one byte a page, may be null: 1 it was there, 2 it moved, 3 nothing to bring (lost or without a region).
// On failure pages are where they were, or poisoned if their device is lost or the kernel failed that was to write them, and nothing is pinned.
HMM_API int hmm_fetch(struct hmm_pager *pager, uint64_t first, uint64_t end, uint64_t flags, uint8_t *outcomes,
                      struct hmm_moved *moved, struct hmm_failure *failure);

// Brings pages to a device that only other devices have, from frame to frame, without the host. All else stays as it is, also what somebody has claimed, or uses for longer than a touch may
// wait. The caller holds the device's lock, and that for the host shared. 0, -errno, or -ENOTSUP if the bytes would have to go through the host's pages; on failure pages are where they were, or poisoned
// as with hmm_fetch. `moved` is added to.
HMM_API int hmm_cross(struct hmm_pager *pager, const struct hmm_crossing *crossing, struct hmm_moved *moved, struct hmm_failure *failure);

// After Java has claimed pages for a device: takes the host's permission to write (`keep_reading`) or any permission away, but for pages that others have taken home to pin them meanwhile.
HMM_API int hmm_forbid(struct hmm_pager *pager, uint64_t first, uint64_t end, uint64_t keep_reading);

// After the words say so: the region's protection as the processor enforces it: 0 none, 1 read, 2 read and write. Nothing is left of errors from before.
HMM_API int hmm_set_access(struct hmm_pager *pager, uint64_t first, uint64_t end, uint64_t access);

// How many of the kernel's mappings all heaps together take with HMM_SIGSEGV, and how many they may.
HMM_API int hmm_mappings(uint64_t *used, uint64_t *most);

// Declares contents dead: pages become EMPTY, their host memory is given back. Launches that use them go on with what they have. Refused, with CL_DEVICE_NOT_AVAILABLE, while
// a command that was given up may still write to that memory.
HMM_API int hmm_discard(struct hmm_pager *pager, uint64_t first, uint64_t end, struct hmm_failure *failure);

// Whether a command that was given up may still write to the host memory of these pages: then it must not be used for anything else, and nor may their addresses. 0 or 1.
HMM_API int hmm_may_be_written(struct hmm_pager *pager, uint64_t first, uint64_t end);

// Gives the host memory of pages back that are on this device; others are left alone. The caller holds the device's lock, so that no move there may yet be undone.
// Returns how many pages, or -errno.
HMM_API int64_t hmm_release_host(struct hmm_pager *pager, uint64_t device, uint64_t first, uint64_t end);

// Copies pages, all of which have frames of the device, to other frames of it, under claims, and makes those theirs: from `frame` on, which lie in one piece and are nobody's. The caller holds the device's lock.
// From the first page on up to one that somebody has claimed; call again for the others. Of these all or none: returns how many, at least one, and adds to `copied` how many of them were valid there and were copied,
// of the others only the frame changed; or -errno: -ETIMEDOUT, with nothing in `failure`, if a launch there uses one for longer than a touch may wait.
HMM_API int hmm_relocate(struct hmm_pager *pager, uint64_t device, uint64_t first, uint64_t end, uint64_t frame, uint64_t *copied, struct hmm_failure *failure);

// Gives pages back to the host that were moved for a launch that did not happen, without a copy: those whose word still has the version of `committed` and that no
// launch has used since, nor uses for longer than a touch may wait. `before` are the words from before the move. Returns how many, or -errno.
HMM_API int64_t hmm_undo(struct hmm_pager *pager, uint64_t device, uint64_t launched_before, uint64_t clock_before,
                         uint64_t count, const uint64_t *pages, const uint64_t *committed, const uint64_t *before);

// The launch gate: publishes, checks, enqueues, all in one call. 0 with an event, 0 without one if a page was missing (also
// if it waited for another launch, insisting or for its turn in place, for longer than a touch may), -errno if the driver refused.
HMM_API int hmm_launch_enter(struct hmm_pager *pager, struct hmm_launch *launch, struct hmm_failure *failure);

// The same in two calls, for a kernel that faults: the first publishes the launch and waits for its turn, for as long as a touch may, and needs neither queue nor kernel nor what belongs to them. From then on whoever frees,
// forbids or moves its pages waits for it, so what the caller knows of them is true until it ends: he looks in between. `number` is 0 if the turn did not come, or with -errno. The second
// enqueues what has begun, with that number and the same pages; -errno if the driver refused. Every launch that has begun must go or be withdrawn, soon: no other kernel runs on the device meanwhile.
HMM_API int hmm_launch_begin(struct hmm_pager *pager, struct hmm_launch *launch, struct hmm_failure *failure);
HMM_API int hmm_launch_go(struct hmm_pager *pager, struct hmm_launch *launch, struct hmm_failure *failure);
HMM_API int hmm_launch_withdraw(struct hmm_pager *pager, uint64_t number); // does nothing if its kernel was enqueued; 0

// Waits for launches that use a page of the range: of one device or (-1) of all, only those that write or all.
HMM_API int hmm_await(struct hmm_pager *pager, int64_t device, uint64_t first, uint64_t end, uint64_t writers_only);
HMM_API int hmm_await_all(struct hmm_pager *pager);
// Launches that were ever enqueued on a device.
HMM_API uint64_t hmm_launched(struct hmm_pager *pager, uint64_t device);
// The last launch known to have failed that was to write a page. 1 if there is one, 0 if not; only the last few are kept.
HMM_API int hmm_failed_launch_of(struct hmm_pager *pager, uint64_t page, struct hmm_failed_launch *failed);
// Finds out which launches have ended that use a page of the range, and poisons what failed ones were to write. Nobody else need have noticed.
HMM_API int hmm_note_ends(struct hmm_pager *pager, uint64_t first, uint64_t end);
// Pages that launches use which have not ended on a device, at one moment; returns how many entries there are.
HMM_API uint64_t hmm_used(struct hmm_pager *pager, uint64_t device, struct hmm_use *uses, uint64_t capacity);

// ---- Devices whose kernels fault: kernels as they are go over more than the budget, since a load or store of theirs that finds no page stops until the page is there. They must run in host
// memory, and a heap has no others beside them. On each of them one kernel runs at a time, and the next one is let in when it has ended, or not if that takes longer than a touch may wait; nothing is moved
// for a launch before it starts, and the host does not wait for it.

// Makes a device one of that kind, before its first launch. `range` is where its kernels have the heap: as many bytes as that, page-aligned, anonymous memory that nobody else touches, and
// that stays until the heap is closed. `threads` is how many threads of the device run kernels at once. -ENOSPC if the budget is less than hmm_least_budget, -ENOTSUP if faults there cannot be
// noticed on this rung or system.
HMM_API int hmm_fault_device(struct hmm_pager *pager, uint64_t device, uint64_t range, uint64_t budget_pages, uint64_t threads);
// Pages that a device must have room for, so that each thread gets all that one instruction can touch.
HMM_API uint64_t hmm_least_budget(uint64_t threads);
// Of pages `first` to `end`, between which and others regions begin, no more than `most` are on such a device at once from now on; what is there beyond that goes home, as far as no thread was just given it, and else when the next of them comes. In
// place of what these pages had before; others that had a quota together with them keep it for themselves. As many as the range, or more: no quota. 0, or -EINVAL if it is less than hmm_least_budget.
HMM_API int hmm_set_quota(struct hmm_pager *pager, uint64_t device, uint64_t first, uint64_t end, uint64_t most);
// What a policy says to code that cannot ask it: how many pages come along with a fault at most, however the stream goes and whatever there is room for.
HMM_API int hmm_set_along(struct hmm_pager *pager, uint64_t device, uint64_t most);
// Which pages are on such a device, those that came first first: these go first. Returns how many there are, of which as many are written as there is room for.
HMM_API uint64_t hmm_there(struct hmm_pager *pager, uint64_t device, uint64_t *pages, uint64_t capacity);
// And which of them shall go before all others, in this order: those that are there and nobody has chosen yet.
HMM_API int hmm_go_first(struct hmm_pager *pager, uint64_t device, const uint64_t *pages, uint64_t count);
// Brings home what the device has of a range, and takes it away from there. 0 or -errno.
HMM_API int hmm_take_home(struct hmm_pager *pager, uint64_t device, uint64_t first, uint64_t end);
// To be called when pins of pages have gone: a kernel may be waiting for that, as long as a touch may.
HMM_API int hmm_wake_device(struct hmm_pager *pager, uint64_t first, uint64_t end);

enum hmm_violation_kind {
  HMM_OUTSIDE = 1, // there is no region
  HMM_UNREADABLE,  // the protection forbids all access
  HMM_UNWRITABLE,  // or writing
  HMM_LOST,        // the page is poisoned
  HMM_NO_MEMORY,   // neither the protection nor the program: there was no memory for the page
  HMM_HELD,        // nor there: a view held the page for longer than hmm_config.touch_nanos
};

struct hmm_violation {
  uint64_t kind;   // enum hmm_violation_kind
  uint64_t page, offset, write; // the access, its place in bytes from the page's beginning
  uint64_t launch; // its number
};

// Waits until a launch has ended. 1 with its first access that was refused (it read zeros, and what it wrote vanished), 0 if there was none.
HMM_API int hmm_violation_of(struct hmm_pager *pager, uint64_t launch, struct hmm_violation *violation);

// What was counted since the last call.
enum hmm_counter {
  HMM_FAULTS_READ,       // pages served for a read that found no mapping
  HMM_FAULTS_WRITE,      // for a write
  HMM_FAULTS_MESSAGES,   // what the trap reported, repetitions included
  HMM_FIRST_TOUCHES,     // pages that got their first host memory
  HMM_UPGRADES,          // pages that became writable without a copy
  HMM_REMAPPED,          // valid pages that only lacked their mapping
  HMM_ABORTED,           // claims of Java that a touch took away
  HMM_FETCHED,           // pages copied home for a fault
  HMM_AHEAD,             // of all of these, pages that came along with another
  HMM_ERRORS,            // faults answered with an error
  HMM_WAITS,             // faults that waited for a launch
  HMM_POISONED,          // pages whose contents were lost with their device, or with the kernel that was to write them
  HMM_MAP_NANOS,         // time spent installing mappings of several pages at a time
  HMM_DEVICE_READS,      // pages brought to a device whose kernel read them
  HMM_DEVICE_WRITES,     // or wrote them
  HMM_DEVICE_UPGRADES,   // pages that it had to read, and got to write
  HMM_DEVICE_AHEAD,      // of the pages brought, those that came along with another
  HMM_DEVICE_LATE,       // pages that were to come along, and for which there was no room
  HMM_DEVICE_EVICTED,    // pages that made room
  HMM_DEVICE_WRITTEN_BACK, // of these, pages that were copied home
  HMM_DEVICE_STRAYS,     // accesses of kernels that were refused
  HMM_IN_THREAD,         // faults that the thread served which touched the page
  HMM_GATHERED,          // copies home that a kernel had carried together from where they lay apart
  HMM_GATHERS_GIVEN_UP,  // times that this has failed, or would have been wrong; then it is not done any more
  HMM_COUNTERS
};
HMM_API int hmm_take_counts(struct hmm_pager *pager, uint64_t *counts, int capacity);

// What was served, with the times of its steps; kept while it is asked for.
enum hmm_record_kind {
  HMM_RECORD_FAULT,  // a touch
  HMM_RECORD_AHEAD,  // pages that came along with a touch, in a piece of their own
  HMM_RECORD_FETCH,  // a part of hmm_fetch
  HMM_RECORD_INSIST, // a page that an insisting launch moved
};

struct hmm_record {
  uint64_t kind;           // enum hmm_record_kind
  uint64_t first, pages;   // pages claimed; 0 if somebody else had the first one claimed
  uint64_t start, claimed, waited, copied, mapped, end; // when each step ended, in nanoseconds of CLOCK_MONOTONIC
  uint64_t thread;         // of the operating system
  uint64_t write;          // whether the host (or the kernel that insists) wants to write
  uint64_t found;          // state of the first page
  uint64_t copied_pages;   // of the pages: copied from or to a device
  uint64_t upgraded_pages; // taken over from devices to be written, without a copy
  int64_t device;          // copied from or to; -1 for none
  int64_t result;          // 0 or -errno
};

// Starts (1) or stops (0) keeping records. The room for them is bounded: what finds it full is lost and counted.
HMM_API int hmm_record(struct hmm_pager *pager, uint64_t on);
// Stops keeping records, and waits for those that have been begun: afterwards all that will ever be can be taken. Nobody may be waiting for a launch.
HMM_API int hmm_end_records(struct hmm_pager *pager);
// Takes the oldest records out; returns how many, and adds to `lost` how many have been lost since the last call.
HMM_API int64_t hmm_take_records(struct hmm_pager *pager, struct hmm_record *records, uint64_t capacity, uint64_t *lost);

// A touch that waits for a launch for longer than HMM_LONG_WAIT_NANOS: told once then, and once more when it is over. Its thread is stopped meanwhile, and with it every
// safepoint of a JVM, so this is what a program wants to hear of. And a touch that becomes an error: what the JVM makes
// of it says neither where nor why.
#define HMM_LONG_WAIT_NANOS 100000000ULL

enum hmm_notice_kind {
  HMM_NOTICE_WAITS,    // it goes on waiting
  HMM_NOTICE_ENDED,    // it was served, or has another reason to fail
  HMM_NOTICE_GIVEN_UP, // it became an error after hmm_config.touch_nanos; the page is where it was
  HMM_NOTICE_REFUSED,  // it becomes an error for the reason in `failure`; without one after hmm_config.touch_nanos, which are less than HMM_LONG_WAIT_NANOS
};

struct hmm_notice {
  uint64_t kind;          // enum hmm_notice_kind
  uint64_t page, write;
  uint64_t thread;        // of the operating system, that touched
  uint64_t device;        // of the launch it waits for, the last one if there were several
  uint64_t started, now;  // nanoseconds of CLOCK_MONOTONIC
  struct hmm_failure failure;
  char kernel[HMM_NAME_BYTES];
};

// Waits for the next notice. Returns 1 with one, 0 after hmm_end_notices. One thread at a time; notices that nobody takes are lost, the newest first.
HMM_API int hmm_await_notice(struct hmm_pager *pager, struct hmm_notice *notice);
HMM_API int hmm_end_notices(struct hmm_pager *pager);

// For tests: stops whoever comes to a step until it is let go.
enum hmm_step {
  HMM_STEP_CLAIMED,    // fetch, between its claims and looking for launches
  HMM_STEP_COPIED,     // fetch, between its copies and their mapping
  HMM_STEP_MAPPED,     // fetch, between mapping and settling
  HMM_STEP_PUBLISHED,  // launch, between publishing and checking
  HMM_STEP_CHECKED,    // launch, between checking and enqueueing
  HMM_STEP_NOTICED,    // a fault, before its page is looked at
  HMM_STEP_FORBIDS,    // forbidding, after pages were looked at
  HMM_STEP_CROSSING,   // from device to device, between claims that nobody is in the way of and copies
  HMM_STEP_REFUSED,    // a fault of a device, whose page did not come, before that is looked at again
  HMM_STEPS
};
HMM_API int hmm_step_arm(struct hmm_pager *pager, uint64_t step, uint64_t armed); // 0 lets everybody go
HMM_API int hmm_step_await(struct hmm_pager *pager, uint64_t step, uint64_t millis); // 1 if somebody is stopped there, 0 after the time

#endif
