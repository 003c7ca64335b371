// program.h - what the small OpenCL programs of this test share. Each runs in a process of its own, with the emulated
// GPU or without.
#ifndef HMM_GPU_PROGRAM_H
#define HMM_GPU_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl.h"

#define KIB (1UL << 10)
#define MIB (1UL << 20)
#define TRUE 1u
#define FALSE 0u

// Ends the program if a condition does not hold: exit status 1.
#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                  \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)
#define OK(call) check_status(call, __FILE__, __LINE__, #call)
static inline void check_status(cl_int status, const char *file, int line, const char *call) {
  if (!status) return;
  fprintf(stderr, "%s:%d: status %d of %s\n", file, line, status, call);
  exit(1);
}

struct gpu { // the first device, with two queues
  cl_device_id device;
  cl_context context;
  cl_command_queue queue, other;
  cl_program program;
  cl_kernel add, twice; // add(out, in, n): out[i] += in[i]; twice(data): data[i] *= 2
};
struct gpu open_gpu(void);
cl_kernel built_with(struct gpu *g, const char *options, const char *name);
void close_gpu(struct gpu *g);
cl_mem buffer(struct gpu *g, cl_bitfield flags, size_t bytes, void *pointer);
void set_buffer(cl_kernel kernel, cl_uint index, cl_mem memory);
void launch(cl_command_queue queue, cl_kernel kernel, size_t items, cl_uint waits, const cl_event *wait,
            cl_event *event);
void adds_up_time(void);
void fill_pattern(unsigned *words, size_t count, unsigned seed);

struct program {
  const char *name;
  void (*run)(void);
  const char *options; // of HMM_EMULATED_GPU, behind the profile
  const char *offence; // the program is to be ended for it; null: it ends well
  const char *says;    // of an offence: who it was; its line has that
  const char *profile; // null: all
};
// each ended by a null name
extern const struct program clean_programs[], offending_programs[], behaviour_programs[], reined_programs[], clean_paging[], offending_paging[];

#endif
