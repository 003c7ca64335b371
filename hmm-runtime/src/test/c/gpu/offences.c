// offences.c - each offence once, by a program that does nothing else wrong.
#include "program.h"

#define WORDS (16 * KIB)
#define BYTES (WORDS * sizeof(unsigned))

static unsigned host[WORDS];

static void *map(struct gpu *g, cl_mem memory, cl_bitfield flags) {
  cl_int status;
  void *address = clEnqueueMapBuffer(g->queue, memory, TRUE, flags, 0, BYTES, 0, NULL, NULL, &status);
  OK(status);
  return address;
}

static void kernel_on_mapped(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, BYTES, NULL);
  map(&g, x, CL_MAP_WRITE);
  set_buffer(g.twice, 0, x);
  launch(g.queue, g.twice, WORDS, 0, NULL, NULL);
}

static void write_to_mapped(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  map(&g, x, CL_MAP_READ);
  clEnqueueWriteBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL);
}

static void misaligned_part(void) {
  struct gpu g = open_gpu();
  cl_int status;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  clCreateSubBuffer(x, 0, CL_BUFFER_CREATE_TYPE_REGION, &(struct cl_region){64, 1024}, &status);
}

static void overlapping_parts(void) { // written by two queues
  struct gpu g = open_gpu();
  cl_int status;
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  cl_mem a = clCreateSubBuffer(x, 0, CL_BUFFER_CREATE_TYPE_REGION, &(struct cl_region){0, 8192}, &status);
  cl_mem b = clCreateSubBuffer(x, 0, CL_BUFFER_CREATE_TYPE_REGION, &(struct cl_region){4096, 8192}, &status);
  OK(clEnqueueWriteBuffer(g.queue, a, FALSE, 0, 8192, host, 0, NULL, NULL));
  OK(clEnqueueWriteBuffer(g.other, b, FALSE, 0, 8192, host, 0, NULL, NULL));
}

static void copy_under_kernel(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, host),
         y = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, host);
  set_buffer(g.twice, 0, x);
  launch(g.queue, g.twice, WORDS, 0, NULL, NULL);
  OK(clFlush(g.queue));
  OK(clEnqueueCopyBuffer(g.other, y, x, 0, 0, 4096, 0, NULL, NULL));
}

static void polled_status(void) { // says that the kernel has ended, and orders nothing
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, BYTES, host);
  cl_event event;
  cl_int status = CL_QUEUED;
  set_buffer(g.twice, 0, x);
  launch(g.queue, g.twice, WORDS, 0, NULL, &event);
  OK(clFlush(g.queue));
  while (status > CL_COMPLETE)
    OK(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
  clEnqueueReadBuffer(g.other, x, TRUE, 0, BYTES, host, 0, NULL, NULL);
}

static volatile unsigned *unmapped(cl_bitfield flags, bool again) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, BYTES, NULL);
  volatile unsigned *w = map(&g, x, flags);
  if (again) return w;
  OK(clEnqueueUnmapMemObject(g.queue, x, (void *)(size_t)w, 0, NULL, NULL));
  OK(clFinish(g.queue));
  return w;
}

static void read_unmapped(void) { host[0] = *unmapped(CL_MAP_WRITE, false); }

static void write_read_only(void) { *unmapped(CL_MAP_READ, true) = 1; }

static void transfer_unmapped(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, BYTES, NULL),
         y = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  void *w = map(&g, x, CL_MAP_WRITE);
  OK(clEnqueueUnmapMemObject(g.queue, x, w, 0, NULL, NULL));
  clEnqueueWriteBuffer(g.queue, y, TRUE, 0, BYTES, w, 0, NULL, NULL);
}

static void shared_unmapped(void) {
  struct gpu g = open_gpu();
  volatile unsigned *w = clSVMAlloc(g.context, CL_MEM_READ_WRITE, BYTES, 0);
  CHECK(w);
  w[0] = 1;
}

static void kernel_on_mapped_shared(void) {
  struct gpu g = open_gpu();
  void *w = clSVMAlloc(g.context, CL_MEM_READ_WRITE, BYTES, 0);
  CHECK(w);
  OK(clEnqueueSVMMap(g.queue, TRUE, CL_MAP_WRITE, w, BYTES, 0, NULL, NULL));
  OK(clSetKernelArgSVMPointer(g.twice, 0, w));
  launch(g.queue, g.twice, WORDS, 0, NULL, NULL);
}

static void large_buffer(void) {
  struct gpu g = open_gpu();
  set_buffer(g.twice, 0, buffer(&g, CL_MEM_READ_WRITE | CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL, 5 << 20, NULL));
  clEnqueueNDRangeKernel(g.queue, g.twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL);
}

static void released_buffer(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  OK(clReleaseMemObject(x));
  clEnqueueReadBuffer(g.queue, x, TRUE, 0, BYTES, host, 0, NULL, NULL);
}

static void released_argument(void) {
  struct gpu g = open_gpu();
  cl_mem x = buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  set_buffer(g.twice, 0, x);
  OK(clReleaseMemObject(x));
  clEnqueueNDRangeKernel(g.queue, g.twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL);
}

static void released_event(void) {
  struct gpu g = open_gpu();
  cl_event event;
  OK(clEnqueueMarkerWithWaitList(g.queue, 0, NULL, &event));
  OK(clReleaseEvent(event));
  clWaitForEvents(1, &event);
}

static void released_twice(void) {
  struct gpu g = open_gpu();
  OK(clReleaseCommandQueue(g.other));
  clReleaseCommandQueue(g.other);
}

static void released_queue(void) {
  struct gpu g = open_gpu();
  set_buffer(g.twice, 0, buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL));
  OK(clReleaseCommandQueue(g.other));
  clEnqueueNDRangeKernel(g.other, g.twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL);
}

static void released_kernel(void) {
  struct gpu g = open_gpu();
  set_buffer(g.twice, 0, buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL));
  OK(clReleaseKernel(g.twice));
  clEnqueueNDRangeKernel(g.queue, g.twice, 1, NULL, (const size_t[]){WORDS}, NULL, 0, NULL, NULL);
}

static void released_program(void) {
  struct gpu g = open_gpu();
  cl_int status;
  OK(clReleaseProgram(g.program));
  clCreateKernel(g.program, "twice", &status);
}

static void released_unbuilt_program(void) {
  struct gpu g = open_gpu();
  const char *text = "kernel void nothing() {}";
  cl_int status;
  cl_program program = clCreateProgramWithSource(g.context, 1, &text, NULL, &status);
  OK(status);
  OK(clReleaseProgram(program));
  clBuildProgram(program, 1, &g.device, "", NULL, NULL);
}

static void released_context(void) {
  struct gpu g = open_gpu();
  cl_int status;
  cl_context second = clCreateContext(NULL, 1, &g.device, NULL, NULL, &status);
  OK(status);
  OK(clReleaseContext(second));
  clCreateBuffer(second, CL_MEM_READ_WRITE, BYTES, NULL, &status);
}

static void leaked_kernel(void) {
  struct gpu g = open_gpu();
  OK(clRetainKernel(g.twice));
  close_gpu(&g);
}

static void leak(void) {
  struct gpu g = open_gpu();
  buffer(&g, CL_MEM_READ_WRITE, BYTES, NULL);
  close_gpu(&g);
}

const struct program offending_programs[] = {
    {.name = "kernel-on-mapped", .run = kernel_on_mapped, .offence = "use of a mapped buffer", .says = "clEnqueueNDRangeKernel (command 2, kernel twice, queue 1) uses"},
    {.name = "write-to-mapped", .run = write_to_mapped, .offence = "use of a mapped buffer", .says = "clEnqueueWriteBuffer (command 2, queue 1) uses"},
    {.name = "misaligned-part", .run = misaligned_part, .offence = "misaligned sub-buffer", .says = "of context 1 at offset 64"},
    {.name = "overlapping-parts", .run = overlapping_parts, .offence = "unordered use", .says = "clEnqueueWriteBuffer (command 2, queue 2) writes bytes [4096, 12288)"},
    {.name = "copy-under-kernel", .run = copy_under_kernel, .offence = "unordered use", .says = "clEnqueueCopyBuffer (command 2, queue 2) writes"},
    {.name = "polled-status", .run = polled_status, .offence = "unordered use", .says = "and clEnqueueNDRangeKernel (command 1, kernel twice, queue 1) may write"},
    {.name = "read-unmapped", .run = read_unmapped, .offence = "host access while unmapped", .says = "touches memory of a buffer of 65536 bytes of context 1 that"},
    {.name = "write-read-only", .run = write_read_only, .offence = "host access while unmapped", .says = "touches memory of a buffer of 65536 bytes of context 1 that"},
    {.name = "transfer-unmapped", .run = transfer_unmapped, .offence = "host access while unmapped", .says = "clEnqueueWriteBuffer (command 3, queue 1) transfers"},
    {.name = "shared-unmapped", .run = shared_unmapped, .offence = "host access while unmapped", .says = "touches memory of shared memory of 65536 bytes of context 1 that", .profile = "nvidia"},
    {.name = "kernel-on-mapped-shared",
     .run = kernel_on_mapped_shared,
     .offence = "use of mapped shared memory", .says = "clEnqueueNDRangeKernel (command 2, kernel twice, queue 1) may use",
     .profile = "nvidia"},
    {.name = "released-buffer", .run = released_buffer, .offence = "use after release", .says = "clEnqueueReadBuffer gets a buffer of 65536 bytes, which was released"},
    {.name = "released-argument", .run = released_argument, .offence = "use after release", .says = "clEnqueueNDRangeKernel (command 1, kernel twice, queue 1) is given argument 0"},
    {.name = "released-event", .run = released_event, .offence = "use after release", .says = "clWaitForEvents gets the event of clEnqueueMarkerWithWaitList (command 1, queue 1)"},
    {.name = "released-twice", .run = released_twice, .offence = "use after release", .says = "clReleaseCommandQueue gets queue 2 of context 1, which was released"},
    {.name = "large-buffer", .run = large_buffer, .options = ":memory=8M,allocation=4M", .offence = "large buffer", .says = "kernel ", .profile = "arc"},
    {.name = "released-queue", .run = released_queue, .offence = "use after release", .says = "clEnqueueNDRangeKernel gets queue 2 of context 1, which was released"},
    {.name = "released-kernel", .run = released_kernel, .offence = "use after release", .says = "clEnqueueNDRangeKernel gets kernel twice, which was released"},
    {.name = "released-program", .run = released_program, .offence = "use after release", .says = "clCreateKernel gets program 1 (kernels "},
    {.name = "released-unbuilt-program", .run = released_unbuilt_program, .offence = "use after release", .says = "clBuildProgram gets program 2 (not built), which was released"},
    {.name = "released-context", .run = released_context, .offence = "use after release", .says = "clCreateBuffer gets context 2, which was released"},
    {.name = "leaked-kernel", .run = leaked_kernel, .offence = "leak at exit", .says = "1 kernels (kernel twice)"},
    {.name = "leak", .run = leak, .offence = "leak at exit", .says = "1 buffers (a buffer of 65536 bytes)"},
    {0},
};
