// identity.c - what the device says of itself: that it is the GPU of the profile, and that it is emulated.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define SCOPE_ALL_DEVICES 64u // of CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES
#define EXEC_KERNEL 1u        // of CL_DEVICE_EXECUTION_CAPABILITIES

// It has these prefixes and we cannot keep what they promise: other ways to enqueue commands, other kinds of memory,
// other kinds of device.
static const char *const withheld[] = {"cl_khr_command_buffer",
                                       "cl_khr_3d_image",
                                       "cl_khr_image",
                                       "cl_khr_mipmap",
                                       "cl_khr_gl",
                                       "cl_khr_egl",
                                       "cl_khr_d3d",
                                       "cl_ext_device_fission",
                                       "cl_khr_external",
                                       "cl_intel_unified",
                                       "cl_ext_buffer_device",
                                       "cl_pocl_",
                                       "cl_tce_"};

static bool is_withheld(const char *name) {
  for (size_t i = 0; i < sizeof withheld / sizeof *withheld; i++) {
    if (!strncmp(name, withheld[i], strlen(withheld[i]))) return true;
  }
  return false;
}

static char *driver_text(cl_device_id id, cl_uint name) {
  size_t bytes = 0;
  if (DRIVER(clGetDeviceInfo)(id, name, 0, NULL, &bytes)) return NULL;
  char *text = calloc(1, bytes + 1);
  if (text && !DRIVER(clGetDeviceInfo)(id, name, bytes, text, NULL)) return text;
  free(text);
  return NULL;
}

static cl_int answer_text(cl_device_id id, cl_uint name, const char *format, size_t room, void *out, size_t *needed) {
  char *below = driver_text(id, name), text[512];
  if (!below) return CL_OUT_OF_HOST_MEMORY;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof text, format, options.profile->name, below);
#pragma GCC diagnostic pop
  free(below);
  return answer(text, strlen(text) + 1, room, out, needed);
}

static cl_int answer_extensions(cl_device_id id, size_t room, void *out, size_t *needed) {
  char *all = driver_text(id, CL_DEVICE_EXTENSIONS);
  char *kept = all ? calloc(1, strlen(all) + 2) : NULL;
  for (char *save = NULL, *one = kept ? strtok_r(all, " ", &save) : NULL; one; one = strtok_r(NULL, " ", &save)) {
    if (is_withheld(one)) continue;
    if (*kept) strcat(kept, " ");
    strcat(kept, one);
  }
  cl_int status = kept ? answer(kept, strlen(kept) + 1, room, out, needed) : CL_OUT_OF_HOST_MEMORY;
  free(all);
  free(kept);
  return status;
}

struct name_version { // cl_name_version
  cl_uint version;
  char name[64];
};

static cl_int answer_versions(cl_device_id id, size_t room, void *out, size_t *needed) {
  size_t bytes = 0, kept = 0;
  cl_int status = DRIVER(clGetDeviceInfo)(id, CL_DEVICE_EXTENSIONS_WITH_VERSION, 0, NULL, &bytes);
  if (status) return status;
  struct name_version *all = calloc(1, bytes + 1);
  if (!all) return CL_OUT_OF_HOST_MEMORY;
  status = DRIVER(clGetDeviceInfo)(id, CL_DEVICE_EXTENSIONS_WITH_VERSION, bytes, all, NULL);
  for (size_t i = 0; i < bytes / sizeof *all; i++) {
    if (!is_withheld(all[i].name)) all[kept++] = all[i];
  }
  if (!status) status = answer(all, kept * sizeof *all, room, out, needed);
  free(all);
  return status;
}

static cl_int answer_items(cl_device_id id, size_t room, void *out, size_t *needed) {
  size_t sizes[16], bytes = 0;
  cl_int status = DRIVER(clGetDeviceInfo)(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sizes, sizes, &bytes);
  for (size_t i = 0; i < bytes / sizeof *sizes && !status; i++) {
    if (sizes[i] > options.profile->work_group) sizes[i] = options.profile->work_group;
  }
  return status ? status : answer(sizes, bytes, room, out, needed);
}

cl_int gpu_clGetDeviceInfo(cl_device_id id, cl_uint name, size_t room, void *out, size_t *needed) {
  const struct profile *p = options.profile;
  cl_bitfield bits = 0;
  cl_ulong bytes = 0;
  cl_uint number = 0;
  size_t items = p->work_group;
  switch (name) {
    case CL_DEVICE_TYPE: bits = CL_DEVICE_TYPE_GPU; return answer(&bits, sizeof bits, room, out, needed);
    case CL_DEVICE_EXECUTION_CAPABILITIES: bits = EXEC_KERNEL; return answer(&bits, sizeof bits, room, out, needed);
    case CL_DEVICE_SVM_CAPABILITIES: bits = options.svm; return answer(&bits, sizeof bits, room, out, needed);
    case CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES: {
      cl_int status = DRIVER(clGetDeviceInfo)(id, name, sizeof bits, &bits, NULL);
      bits &= ~(cl_bitfield)SCOPE_ALL_DEVICES;
      return status ? status : answer(&bits, sizeof bits, room, out, needed);
    }
    case CL_DEVICE_GLOBAL_MEM_SIZE:
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      enter(); // a test may change them
      bytes = name == CL_DEVICE_GLOBAL_MEM_SIZE ? options.memory_bytes : options.allocation_bytes;
      leave();
      return answer(&bytes, sizeof bytes, room, out, needed);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
      number = p->alignment_bytes * 8;
      return answer(&number, sizeof number, room, out, needed);
    case CL_DEVICE_HOST_UNIFIED_MEMORY: number = p->unified; return answer(&number, sizeof number, room, out, needed);
    case CL_DEVICE_IMAGE_SUPPORT: return answer(&number, sizeof number, room, out, needed);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE: return answer(&items, sizeof items, room, out, needed);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES: return answer_items(id, room, out, needed);
    case CL_DEVICE_NAME: return answer_text(id, name, "emulated %s GPU (on %s)", room, out, needed);
    case CL_DEVICE_VENDOR: return answer_text(id, name, "hmm4j, emulated %s (on %s)", room, out, needed);
    case CL_DRIVER_VERSION: return answer_text(id, name, "emulated %s (on %s)", room, out, needed);
    case CL_DEVICE_EXTENSIONS: return answer_extensions(id, room, out, needed);
    case CL_DEVICE_EXTENSIONS_WITH_VERSION: return answer_versions(id, room, out, needed);
    default: return DRIVER(clGetDeviceInfo)(id, name, room, out, needed);
  }
}

// Only where kernels work in the memory that we give: on POCL's CPU devices. Real GPUs and other drivers are not there
// while the layer is.
static bool is_ours(cl_platform_id platform) {
  char name[256] = "";
  cl_int status = DRIVER(clGetPlatformInfo)(platform, CL_PLATFORM_NAME, sizeof name, name, NULL);
  return !status && !strcmp(name, "Portable Computing Language");
}

cl_int gpu_clGetDeviceIDs(cl_platform_id platform, cl_bitfield type, cl_uint room, cl_device_id *ids, cl_uint *count) {
  if (type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT) && is_ours(platform)) {
    return DRIVER(clGetDeviceIDs)(platform, CL_DEVICE_TYPE_CPU, room, ids, count);
  }
  if (count) *count = 0;
  return CL_DEVICE_NOT_FOUND;
}

// Functions of extensions that are withheld would go past the layer; what it answers, it answers by this way, too.
static bool goes_past(const char *name) {
  return strstr(name, "CommandBuffer") || !strncmp(name, "clCommand", 9) || strstr(name, "MemAllocINTEL") ||
         strstr(name, "POCL");
}

void *gpu_clGetExtensionFunctionAddress(const char *name) {
  void *ours = name ? layered_function(name) : NULL;
  if (ours || !name || goes_past(name)) return ours;
  return DRIVER(clGetExtensionFunctionAddress)(name);
}

void *gpu_clGetExtensionFunctionAddressForPlatform(cl_platform_id platform, const char *name) {
  void *ours = name ? layered_function(name) : NULL;
  if (ours || !name || goes_past(name)) return ours;
  return DRIVER(clGetExtensionFunctionAddressForPlatform)(platform, name);
}
