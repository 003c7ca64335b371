#include "program.h"

static const char *text =
    "kernel void add(global uint *out, global const uint *in) { size_t i = get_global_id(0); out[i] += in[i]; }\n"
    "kernel void twice(global uint *data) { size_t i = get_global_id(0); data[i] *= 2; }\n"
    "#ifdef HMM_PAGED\n" // as hmm.clh has it: adds a word of each page that may be read to all that may be written
    "kernel void paged(global uint *hmm_image, const ulong hmm_base, global uint *hmm_pages, global uchar *hmm_items) {\n"
    "  const uint words = (1u << HMM_PAGE_SHIFT) / 4;\n"
    "  uint sum = 0;\n"
    "  for (uint p = 0; p < HMM_HEAP_BYTES >> HMM_PAGE_SHIFT; p++)\n"
    "    if (hmm_pages[HMM_TABLE_AT + p] & 1) sum += hmm_image[(hmm_pages[HMM_TABLE_AT + p] >> 2) * words];\n"
    "  for (uint p = 0; p < HMM_HEAP_BYTES >> HMM_PAGE_SHIFT; p++)\n"
    "    if (hmm_pages[HMM_TABLE_AT + p] & 2) hmm_image[(hmm_pages[HMM_TABLE_AT + p] >> 2) * words + 1] += sum;\n"
    "}\n"
    "#endif\n"
    "struct runs { uint at[65]; uint place[64]; };\n" // as runs.cl has it, of one run
    "kernel void carry(global const uint *hmm_packed, const struct runs hmm_runs, global uint *hmm_memory) {\n"
    "  for (uint i = 0; i < 1024 * (hmm_runs.at[64] - hmm_runs.at[0]); i++)\n"
    "    hmm_memory[1024 * hmm_runs.place[0] + i] = hmm_packed[1024 * hmm_runs.at[0] + i];\n"
    "}\n";

struct gpu open_gpu(void) {
  struct gpu g = {0};
  cl_platform_id platform;
  cl_int status;
  OK(clGetPlatformIDs(1, &platform, NULL));
  OK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &g.device, NULL));
  g.context = clCreateContext(NULL, 1, &g.device, NULL, NULL, &status);
  OK(status);
  g.queue = clCreateCommandQueue(g.context, g.device, CL_QUEUE_PROFILING_ENABLE, &status);
  OK(status);
  g.other = clCreateCommandQueue(g.context, g.device, CL_QUEUE_PROFILING_ENABLE, &status);
  OK(status);
  g.program = clCreateProgramWithSource(g.context, 1, &text, NULL, &status);
  OK(status);
  OK(clBuildProgram(g.program, 1, &g.device, "-cl-kernel-arg-info", NULL, NULL));
  g.add = clCreateKernel(g.program, "add", &status);
  OK(status);
  g.twice = clCreateKernel(g.program, "twice", &status);
  OK(status);
  return g;
}

cl_kernel built_with(struct gpu *g, const char *options, const char *name) {
  cl_int status;
  cl_program program = clCreateProgramWithSource(g->context, 1, &text, NULL, &status);
  OK(status);
  OK(clBuildProgram(program, 1, &g->device, options, NULL, NULL));
  cl_kernel kernel = clCreateKernel(program, name, &status);
  OK(status);
  OK(clReleaseProgram(program));
  return kernel;
}

void close_gpu(struct gpu *g) {
  OK(clReleaseKernel(g->add));
  OK(clReleaseKernel(g->twice));
  OK(clReleaseProgram(g->program));
  OK(clReleaseCommandQueue(g->queue));
  OK(clReleaseCommandQueue(g->other));
  OK(clReleaseContext(g->context));
}

cl_mem buffer(struct gpu *g, cl_bitfield flags, size_t bytes, void *pointer) {
  cl_int status;
  cl_mem memory = clCreateBuffer(g->context, flags, bytes, pointer, &status);
  OK(status);
  return memory;
}

void set_buffer(cl_kernel kernel, cl_uint index, cl_mem memory) {
  OK(clSetKernelArg(kernel, index, sizeof memory, &memory));
}

void launch(cl_command_queue queue, cl_kernel kernel, size_t items, cl_uint waits, const cl_event *wait,
            cl_event *event) {
  OK(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, waits, wait, event));
}

void fill_pattern(unsigned *words, size_t count, unsigned seed) {
  for (size_t i = 0; i < count; i++)
    words[i] = (unsigned)i * 2654435761u + seed;
}
