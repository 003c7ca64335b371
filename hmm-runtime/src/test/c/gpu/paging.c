// paging.c - kernels that use parts of a buffer which a table names, a page table or that of runs.cl, beside copies in that buffer: clean and not.
#include "program.h"

#define PAGE (4 * KIB)
#define PAGES 16 // of the heap, and frames of the image
#define BYTES (PAGES * PAGE)
#define WORDS (PAGE / sizeof(unsigned))
#define TABLE_AT 16
#define MAY_READ 1u
#define MAY_WRITE 3u // and read

enum { UNUSED = 0, READ_ONLY = 1, WRITTEN = 2 }; // frames of the image

struct paging {
  struct gpu gpu;
  cl_kernel kernel;
  cl_mem image, table, items;
  unsigned words[BYTES / sizeof(unsigned)];
};

// Page 5 has a frame to be read, page 9 one to be written; the kernel is enqueued, and not flushed.
static void begin(struct paging *p) {
  p->gpu = open_gpu();
  p->kernel = built_with(&p->gpu, "-cl-kernel-arg-info -DHMM_PAGED -DHMM_PAGE_SHIFT=12 -DHMM_HEAP_BYTES=65536ul -DHMM_TABLE_AT=16", "paged");
  fill_pattern(p->words, BYTES / sizeof(unsigned), 1);
  p->image = buffer(&p->gpu, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, p->words);
  unsigned table[TABLE_AT + PAGES] = {0};
  p->table = buffer(&p->gpu, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof table, table);
  p->items = buffer(&p->gpu, CL_MEM_READ_WRITE, PAGE, NULL);
  cl_ulong base = 0;
  set_buffer(p->kernel, 0, p->image);
  OK(clSetKernelArg(p->kernel, 1, sizeof base, &base));
  set_buffer(p->kernel, 2, p->table);
  set_buffer(p->kernel, 3, p->items);
  // By a command, so that nobody knows what the table names before that has run.
  static const unsigned read_only = READ_ONLY << 2 | MAY_READ, written = WRITTEN << 2 | MAY_WRITE;
  OK(clEnqueueWriteBuffer(p->gpu.queue, p->table, FALSE, (TABLE_AT + 5) * sizeof read_only, sizeof read_only, &read_only, 0, NULL, NULL));
  OK(clEnqueueWriteBuffer(p->gpu.queue, p->table, FALSE, (TABLE_AT + 9) * sizeof written, sizeof written, &written, 0, NULL, NULL));
  launch(p->gpu.queue, p->kernel, 1, 0, NULL, NULL);
}

static void end(struct paging *p) {
  OK(clFinish(p->gpu.queue));
  OK(clFinish(p->gpu.other));
  OK(clReleaseKernel(p->kernel));
  OK(clReleaseMemObject(p->image));
  OK(clReleaseMemObject(p->table));
  OK(clReleaseMemObject(p->items));
  close_gpu(&p->gpu);
}

// Commands of another queue, which nothing orders with the kernel.
static void write_frame(struct paging *p, unsigned frame) {
  static const unsigned ones[WORDS] = {1, 1};
  OK(clEnqueueWriteBuffer(p->gpu.other, p->image, FALSE, frame * PAGE, PAGE, ones, 0, NULL, NULL));
}
static void read_frame(struct paging *p, unsigned frame) {
  OK(clEnqueueReadBuffer(p->gpu.other, p->image, FALSE, frame * PAGE, PAGE, p->words + frame * WORDS, 0, NULL, NULL));
}

static void run(struct paging *p) { // polled, which orders nothing
  cl_event event;
  cl_int status = CL_QUEUED;
  OK(clEnqueueMarkerWithWaitList(p->gpu.queue, 0, NULL, &event));
  OK(clFlush(p->gpu.queue));
  while (status > CL_COMPLETE)
    OK(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
  OK(clReleaseEvent(event));
}

static struct paging paging;

static void beside_others(void) {
  struct paging *p = &paging;
  begin(p);
  write_frame(p, UNUSED);
  read_frame(p, READ_ONLY);
  run(p);
  write_frame(p, UNUSED);
  read_frame(p, READ_ONLY);
  read_frame(p, 3);
  end(p);
  unsigned pattern[2 * WORDS];
  fill_pattern(pattern, WORDS * 2, 1);
  for (size_t i = 0; i < WORDS; i++)
    CHECK(p->words[READ_ONLY * WORDS + i] == pattern[READ_ONLY * WORDS + i]);
  printf("beside others\n");
}

static void written_before(unsigned frame) {
  begin(&paging);
  write_frame(&paging, frame);
  OK(clFlush(paging.gpu.other));
  run(&paging);
  end(&paging);
}
static void read_frame_written_before(void) { written_before(READ_ONLY); }
static void written_frame_written_before(void) { written_before(WRITTEN); }

static void written_frame_read_after(void) {
  begin(&paging);
  run(&paging);
  read_frame(&paging, WRITTEN);
}

static void read_frame_written_after(void) {
  begin(&paging);
  run(&paging);
  write_frame(&paging, READ_ONLY);
}

// The copy is older than the kernel.
static void written_frame_under_copy(void) {
  struct paging *p = &paging;
  begin(p);
  OK(clFinish(p->gpu.queue));
  write_frame(p, WRITTEN);
  launch(p->gpu.queue, p->kernel, 1, 0, NULL, NULL);
  run(p);
  end(p);
}

// Carries packed block 1 to frame 2, while others write one of either.
static void carry_beside(unsigned packed_block, unsigned frame) {
  struct gpu g = open_gpu();
  cl_kernel carry = built_with(&g, "-cl-kernel-arg-info", "carry");
  static unsigned words[BYTES / sizeof(unsigned)];
  static const unsigned ones[WORDS] = {1, 1};
  fill_pattern(words, BYTES / sizeof(unsigned), 1);
  cl_mem packed = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, words), image = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  struct {
    cl_uint at[65], place[64];
  } runs = {.place = {2}};
  runs.at[0] = 1;
  for (unsigned i = 1; i < 65; i++) runs.at[i] = 2;
  set_buffer(carry, 0, packed);
  OK(clSetKernelArg(carry, 1, sizeof runs, &runs));
  set_buffer(carry, 2, image);
  launch(g.queue, carry, 1, 0, NULL, NULL);
  OK(clFlush(g.queue));
  OK(clEnqueueWriteBuffer(g.other, packed, FALSE, packed_block * PAGE, PAGE, ones, 0, NULL, NULL));
  OK(clEnqueueWriteBuffer(g.other, image, FALSE, frame * PAGE, PAGE, ones, 0, NULL, NULL));
  OK(clFinish(g.other));
  OK(clFinish(g.queue));
  unsigned came[WORDS];
  OK(clEnqueueReadBuffer(g.queue, image, TRUE, 2 * PAGE, PAGE, came, 0, NULL, NULL));
  CHECK(!memcmp(came, words + WORDS, PAGE));
  OK(clReleaseKernel(carry));
  OK(clReleaseMemObject(packed));
  OK(clReleaseMemObject(image));
  close_gpu(&g);
  printf("carried\n");
}
static void carried_beside_others(void) { carry_beside(0, 3); }
static void carried_from_written(void) { carry_beside(1, 3); }
static void carried_to_written(void) { carry_beside(0, 2); }

// Of two runs the second is two blocks, in packed memory and in the image.
static void carry_beyond(unsigned packed_block, unsigned frame) {
  struct gpu g = open_gpu();
  cl_kernel carry = built_with(&g, "-cl-kernel-arg-info", "carry");
  struct {
    cl_uint at[65], place[64];
  } runs = {.at = {packed_block - 1, packed_block}, .place = {0, frame}};
  for (unsigned i = 2; i < 65; i++) runs.at[i] = packed_block + 2;
  set_buffer(carry, 0, buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL));
  OK(clSetKernelArg(carry, 1, sizeof runs, &runs));
  set_buffer(carry, 2, buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL));
  clEnqueueNDRangeKernel(g.queue, carry, 1, NULL, (const size_t[]){1}, NULL, 0, NULL, NULL);
}
static void carried_beyond_memory(void) { carry_beyond(1, PAGES - 1); }
static void carried_beyond_packed(void) { carry_beyond(PAGES - 1, 1); }

static void frame_beyond_image(void) {
  struct paging *p = &paging;
  begin(p);
  static const unsigned beyond = PAGES << 2 | MAY_READ;
  OK(clEnqueueWriteBuffer(p->gpu.queue, p->table, FALSE, (TABLE_AT + 7) * sizeof beyond, sizeof beyond, &beyond, 0, NULL, NULL));
  launch(p->gpu.queue, p->kernel, 1, 0, NULL, NULL);
  OK(clFinish(p->gpu.queue));
}

const struct program clean_paging[] = {
    {.name = "paging-beside-others", .run = beside_others},
    {.name = "carried-beside-others", .run = carried_beside_others},
    {0},
};
const struct program offending_paging[] = {
    {.name = "frame-read-written-before", .run = read_frame_written_before, .offence = "unordered use", .says = "kernel paged, queue 1"},
    {.name = "frame-written-written-before", .run = written_frame_written_before, .offence = "unordered use", .says = "kernel paged, queue 1"},
    {.name = "frame-written-read-after", .run = written_frame_read_after, .offence = "unordered use", .says = "kernel paged, queue 1"},
    {.name = "frame-read-written-after", .run = read_frame_written_after, .offence = "unordered use", .says = "kernel paged, queue 1"},
    {.name = "frame-written-under-copy", .run = written_frame_under_copy, .offence = "unordered use", .says = "kernel paged, queue 1"},
    {.name = "carried-from-written", .run = carried_from_written, .offence = "unordered use", .says = "kernel carry, queue 1"},
    {.name = "carried-to-written", .run = carried_to_written, .offence = "unordered use", .says = "kernel carry, queue 1"},
    {.name = "carried-beyond-memory", .run = carried_beyond_memory, .offence = "table beyond its memory", .says = "kernel carry, queue 1): run 1 of its table is bytes [61440, 69632) of argument 2, a buffer of 65536 bytes"},
    {.name = "carried-beyond-packed", .run = carried_beyond_packed, .offence = "table beyond its memory", .says = "kernel carry, queue 1): run 1 of its table is bytes [61440, 69632) of argument 0, a buffer of 65536 bytes"},
    {.name = "frame-beyond-image", .run = frame_beyond_image, .offence = "table beyond its memory", .says = "kernel paged, queue 1): entry 7 of its page table names frame 16 of 16, in an image of 65536 bytes"},
    {0},
};
