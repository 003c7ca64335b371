// opencl.h - what of OpenCL this layer names: types, numbers and prototypes as in Khronos' cl.h, so that it builds
// where no OpenCL headers are.
#ifndef HMM_GPU_OPENCL_H
#define HMM_GPU_OPENCL_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t cl_int;
typedef uint32_t cl_uint, cl_bool;
typedef uint64_t cl_ulong, cl_bitfield;
typedef intptr_t cl_properties;
typedef struct _cl_platform_id *cl_platform_id;
typedef struct _cl_device_id *cl_device_id;
typedef struct _cl_context *cl_context;
typedef struct _cl_command_queue *cl_command_queue;
typedef struct _cl_mem *cl_mem;
typedef struct _cl_program *cl_program;
typedef struct _cl_kernel *cl_kernel;
typedef struct _cl_event *cl_event;
struct cl_region { // cl_buffer_region
  size_t origin, size;
};

enum { // statuses
  CL_SUCCESS = 0,
  CL_DEVICE_NOT_FOUND = -1,
  CL_DEVICE_NOT_AVAILABLE = -2,
  CL_MEM_OBJECT_ALLOCATION_FAILURE = -4,
  CL_OUT_OF_RESOURCES = -5,
  CL_OUT_OF_HOST_MEMORY = -6,
  CL_PROFILING_INFO_NOT_AVAILABLE = -7,
  CL_MEM_COPY_OVERLAP = -8,
  CL_MISALIGNED_SUB_BUFFER_OFFSET = -13,
  CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST = -14,
  CL_INVALID_VALUE = -30,
  CL_INVALID_DEVICE = -33,
  CL_INVALID_CONTEXT = -34,
  CL_INVALID_COMMAND_QUEUE = -36,
  CL_INVALID_HOST_PTR = -37,
  CL_INVALID_MEM_OBJECT = -38,
  CL_INVALID_KERNEL = -48,
  CL_INVALID_ARG_VALUE = -50,
  CL_INVALID_KERNEL_ARGS = -52,
  CL_INVALID_WORK_GROUP_SIZE = -54,
  CL_INVALID_EVENT_WAIT_LIST = -57,
  CL_INVALID_EVENT = -58,
  CL_INVALID_OPERATION = -59,
  CL_INVALID_BUFFER_SIZE = -61,
};
enum { // states of a command
  CL_COMPLETE,
  CL_RUNNING,
  CL_SUBMITTED,
  CL_QUEUED
};
enum { // types of command
  CL_COMMAND_NDRANGE_KERNEL = 0x11F0,
  CL_COMMAND_READ_BUFFER = 0x11F3,
  CL_COMMAND_WRITE_BUFFER,
  CL_COMMAND_COPY_BUFFER,
  CL_COMMAND_MAP_BUFFER = 0x11FB,
  CL_COMMAND_UNMAP_MEM_OBJECT = 0x11FD,
  CL_COMMAND_MARKER,
  CL_COMMAND_READ_BUFFER_RECT = 0x1201,
  CL_COMMAND_WRITE_BUFFER_RECT,
  CL_COMMAND_COPY_BUFFER_RECT,
  CL_COMMAND_USER,
  CL_COMMAND_BARRIER,
  CL_COMMAND_MIGRATE_MEM_OBJECTS,
  CL_COMMAND_FILL_BUFFER,
  CL_COMMAND_SVM_FREE = 0x1209,
  CL_COMMAND_SVM_MEMCPY,
  CL_COMMAND_SVM_MEMFILL,
  CL_COMMAND_SVM_MAP,
  CL_COMMAND_SVM_UNMAP,
  CL_COMMAND_SVM_MIGRATE_MEM,
};
#define CL_PLATFORM_NAME 0x0902u
#define CL_DEVICE_TYPE_DEFAULT 1u
#define CL_DEVICE_TYPE_CPU 2u
#define CL_DEVICE_TYPE_GPU 4u
#define CL_DEVICE_TYPE_ALL 0xFFFFFFFFu
#define CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE 1u
#define CL_QUEUE_PROFILING_ENABLE 2u
#define CL_MEM_READ_WRITE 1u
#define CL_MEM_WRITE_ONLY 2u
#define CL_MEM_READ_ONLY 4u
#define CL_MEM_USE_HOST_PTR 8u
#define CL_MEM_ALLOC_HOST_PTR 16u
#define CL_MEM_COPY_HOST_PTR 32u
#define CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL (1u << 23)
#define LARGE_BUFFERS_OPTION "-cl-intel-greater-than-4GB-buffer-required"
#define CL_MEM_SVM_FINE_GRAIN_BUFFER 0x400u
#define CL_MEM_SVM_ATOMICS 0x800u
#define CL_DEVICE_SVM_COARSE_GRAIN_BUFFER 1u
#define CL_DEVICE_SVM_FINE_GRAIN_BUFFER 2u
#define CL_DEVICE_SVM_FINE_GRAIN_SYSTEM 4u
#define CL_MAP_READ 1u
#define CL_MAP_WRITE 2u
#define CL_MAP_WRITE_INVALIDATE_REGION 4u
#define CL_KERNEL_ARG_TYPE_CONST 1u
enum { // queries
  CL_DEVICE_TYPE = 0x1000,
  CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004,
  CL_DEVICE_MAX_WORK_ITEM_SIZES = 0x1005,
  CL_DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010,
  CL_DEVICE_IMAGE_SUPPORT = 0x1016,
  CL_DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019,
  CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE = 0x101A,
  CL_DEVICE_GLOBAL_MEM_SIZE = 0x101F,
  CL_DEVICE_EXECUTION_CAPABILITIES = 0x1029,
  CL_DEVICE_NAME = 0x102B,
  CL_DEVICE_VENDOR = 0x102C,
  CL_DRIVER_VERSION = 0x102D,
  CL_DEVICE_EXTENSIONS = 0x1030,
  CL_DEVICE_HOST_UNIFIED_MEMORY = 0x1035,
  CL_DEVICE_PARTITION_MAX_SUB_DEVICES = 0x1043,
  CL_DEVICE_SVM_CAPABILITIES = 0x1053,
  CL_DEVICE_EXTENSIONS_WITH_VERSION = 0x1060,
  CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES = 0x1063,
  CL_CONTEXT_DEVICES = 0x1081,
  CL_CONTEXT_NUM_DEVICES = 0x1083,
  CL_MEM_FLAGS = 0x1101,
  CL_MEM_SIZE = 0x1102,
  CL_MEM_HOST_PTR = 0x1103,
  CL_MEM_MAP_COUNT = 0x1104,
  CL_MEM_REFERENCE_COUNT = 0x1105,
  CL_QUEUE_PROPERTIES = 0x1093,
  CL_PROGRAM_KERNEL_NAMES = 0x1168,
  CL_KERNEL_NUM_ARGS = 0x1191,
  CL_KERNEL_FUNCTION_NAME = 0x1190,
  CL_KERNEL_ARG_TYPE_QUALIFIER = 0x1199,
  CL_KERNEL_ARG_NAME = 0x119A,
  CL_KERNEL_WORK_GROUP_SIZE = 0x11B0,
  CL_KERNEL_EXEC_INFO_SVM_PTRS = 0x11B6,
  CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM = 0x11B7,
  CL_EVENT_COMMAND_QUEUE = 0x11D0,
  CL_EVENT_COMMAND_TYPE = 0x11D1,
  CL_EVENT_REFERENCE_COUNT = 0x11D2,
  CL_EVENT_COMMAND_EXECUTION_STATUS = 0x11D3,
  CL_EVENT_CONTEXT = 0x11D4,
  CL_BUFFER_CREATE_TYPE_REGION = 0x1220,
  CL_PROFILING_COMMAND_QUEUED = 0x1280,
  CL_PROFILING_COMMAND_COMPLETE = 0x1284,
  CL_LAYER_API_VERSION = 0x4240,
  CL_LAYER_NAME = 0x4241,
};
#define CL_LAYER_API_VERSION_100 100u

#define WAIT_LIST cl_uint waits, const cl_event *wait, cl_event *event // the end of most enqueue calls

cl_int clGetPlatformIDs(cl_uint, cl_platform_id *, cl_uint *);
cl_int clGetPlatformInfo(cl_platform_id, cl_uint, size_t, void *, size_t *);
cl_int clGetDeviceIDs(cl_platform_id, cl_bitfield, cl_uint, cl_device_id *, cl_uint *);
cl_int clGetDeviceInfo(cl_device_id, cl_uint, size_t, void *, size_t *);
typedef void (*context_notice)(const char *, const void *, size_t, void *);
cl_context clCreateContext(const cl_properties *, cl_uint, const cl_device_id *, context_notice, void *, cl_int *);
cl_context clCreateContextFromType(const cl_properties *, cl_bitfield, context_notice, void *, cl_int *);
cl_int clRetainContext(cl_context);
cl_int clReleaseContext(cl_context);
cl_int clGetContextInfo(cl_context, cl_uint, size_t, void *, size_t *);
cl_command_queue clCreateCommandQueue(cl_context, cl_device_id, cl_bitfield, cl_int *);
cl_command_queue clCreateCommandQueueWithProperties(cl_context, cl_device_id, const cl_bitfield *, cl_int *);
cl_int clRetainCommandQueue(cl_command_queue);
cl_int clReleaseCommandQueue(cl_command_queue);
cl_int clGetCommandQueueInfo(cl_command_queue, cl_uint, size_t, void *, size_t *);
cl_int clFlush(cl_command_queue);
cl_int clFinish(cl_command_queue);
cl_mem clCreateBuffer(cl_context, cl_bitfield, size_t, void *, cl_int *);
cl_mem clCreateBufferWithProperties(cl_context, const cl_bitfield *, cl_bitfield, size_t, void *, cl_int *);
cl_mem clCreateSubBuffer(cl_mem, cl_bitfield, cl_uint, const void *, cl_int *);
cl_mem clCreateImage(cl_context, cl_bitfield, const void *, const void *, void *, cl_int *);
cl_mem clCreateImageWithProperties(cl_context, const cl_bitfield *, cl_bitfield, const void *, const void *, void *,
                                   cl_int *);
cl_mem clCreateImage2D(cl_context, cl_bitfield, const void *, size_t, size_t, size_t, void *, cl_int *);
cl_mem clCreateImage3D(cl_context, cl_bitfield, const void *, size_t, size_t, size_t, size_t, size_t, void *, cl_int *);
cl_mem clCreatePipe(cl_context, cl_bitfield, cl_uint, cl_uint, const cl_properties *, cl_int *);
cl_int clGetSupportedImageFormats(cl_context, cl_bitfield, cl_uint, cl_uint, void *, cl_uint *);
cl_int clRetainMemObject(cl_mem);
cl_int clReleaseMemObject(cl_mem);
cl_int clGetMemObjectInfo(cl_mem, cl_uint, size_t, void *, size_t *);
typedef void (*memory_notice)(cl_mem, void *);
cl_int clSetMemObjectDestructorCallback(cl_mem, memory_notice, void *);
void *clSVMAlloc(cl_context, cl_bitfield, size_t, cl_uint);
void clSVMFree(cl_context, void *);
cl_program clCreateProgramWithSource(cl_context, cl_uint, const char **, const size_t *, cl_int *);
cl_program clCreateProgramWithBinary(cl_context, cl_uint, const cl_device_id *, const size_t *, const unsigned char **,
                                     cl_int *, cl_int *);
cl_program clCreateProgramWithIL(cl_context, const void *, size_t, cl_int *);
cl_program clCreateProgramWithBuiltInKernels(cl_context, cl_uint, const cl_device_id *, const char *, cl_int *);
typedef void (*program_notice)(cl_program, void *);
cl_program clLinkProgram(cl_context, cl_uint, const cl_device_id *, const char *, cl_uint, const cl_program *,
                         program_notice, void *, cl_int *);
cl_int clBuildProgram(cl_program, cl_uint, const cl_device_id *, const char *, program_notice, void *);
cl_int clGetProgramBuildInfo(cl_program, cl_device_id, cl_uint, size_t, void *, size_t *);
cl_int clRetainProgram(cl_program);
cl_int clReleaseProgram(cl_program);
cl_kernel clCreateKernel(cl_program, const char *, cl_int *);
cl_int clCreateKernelsInProgram(cl_program, cl_uint, cl_kernel *, cl_uint *);
cl_kernel clCloneKernel(cl_kernel, cl_int *);
cl_int clRetainKernel(cl_kernel);
cl_int clReleaseKernel(cl_kernel);
cl_int clSetKernelArg(cl_kernel, cl_uint, size_t, const void *);
cl_int clSetKernelArgSVMPointer(cl_kernel, cl_uint, const void *);
cl_int clSetKernelExecInfo(cl_kernel, cl_uint, size_t, const void *);
cl_int clGetProgramInfo(cl_program, cl_uint, size_t, void *, size_t *);
cl_int clGetKernelInfo(cl_kernel, cl_uint, size_t, void *, size_t *);
cl_int clGetKernelArgInfo(cl_kernel, cl_uint, cl_uint, size_t, void *, size_t *);
cl_int clGetKernelWorkGroupInfo(cl_kernel, cl_device_id, cl_uint, size_t, void *, size_t *);
cl_event clCreateUserEvent(cl_context, cl_int *);
cl_int clSetUserEventStatus(cl_event, cl_int);
cl_int clWaitForEvents(cl_uint, const cl_event *);
cl_int clGetEventInfo(cl_event, cl_uint, size_t, void *, size_t *);
cl_int clGetEventProfilingInfo(cl_event, cl_uint, size_t, void *, size_t *);
cl_int clRetainEvent(cl_event);
cl_int clReleaseEvent(cl_event);
typedef void (*event_notice)(cl_event, cl_int, void *);
cl_int clSetEventCallback(cl_event, cl_int, event_notice, void *);
cl_int clEnqueueReadBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, WAIT_LIST);
cl_int clEnqueueWriteBuffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, WAIT_LIST);
cl_int clEnqueueReadBufferRect(cl_command_queue, cl_mem, cl_bool, const size_t *, const size_t *, const size_t *,
                               size_t, size_t, size_t, size_t, void *, WAIT_LIST);
cl_int clEnqueueWriteBufferRect(cl_command_queue, cl_mem, cl_bool, const size_t *, const size_t *, const size_t *,
                                size_t, size_t, size_t, size_t, const void *, WAIT_LIST);
cl_int clEnqueueCopyBuffer(cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, WAIT_LIST);
cl_int clEnqueueCopyBufferRect(cl_command_queue, cl_mem, cl_mem, const size_t *, const size_t *, const size_t *, size_t,
                               size_t, size_t, size_t, WAIT_LIST);
cl_int clEnqueueFillBuffer(cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, WAIT_LIST);
void *clEnqueueMapBuffer(cl_command_queue, cl_mem, cl_bool, cl_bitfield, size_t, size_t, WAIT_LIST, cl_int *);
cl_int clEnqueueUnmapMemObject(cl_command_queue, cl_mem, void *, WAIT_LIST);
cl_int clEnqueueMigrateMemObjects(cl_command_queue, cl_uint, const cl_mem *, cl_bitfield, WAIT_LIST);
cl_int clEnqueueNDRangeKernel(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *,
                              WAIT_LIST);
cl_int clEnqueueTask(cl_command_queue, cl_kernel, WAIT_LIST);
cl_int clEnqueueNativeKernel(cl_command_queue, void (*)(void *), void *, size_t, cl_uint, const cl_mem *, const void **,
                             WAIT_LIST);
cl_int clEnqueueMarker(cl_command_queue, cl_event *);
cl_int clEnqueueBarrier(cl_command_queue);
cl_int clEnqueueWaitForEvents(cl_command_queue, cl_uint, const cl_event *);
cl_int clEnqueueMarkerWithWaitList(cl_command_queue, WAIT_LIST);
cl_int clEnqueueBarrierWithWaitList(cl_command_queue, WAIT_LIST);
typedef void (*svm_freer)(cl_command_queue, cl_uint, void **, void *);
cl_int clEnqueueSVMFree(cl_command_queue, cl_uint, void **, svm_freer, void *, WAIT_LIST);
cl_int clEnqueueSVMMemcpy(cl_command_queue, cl_bool, void *, const void *, size_t, WAIT_LIST);
cl_int clEnqueueSVMMemFill(cl_command_queue, void *, const void *, size_t, size_t, WAIT_LIST);
cl_int clEnqueueSVMMap(cl_command_queue, cl_bool, cl_bitfield, void *, size_t, WAIT_LIST);
cl_int clEnqueueSVMUnmap(cl_command_queue, void *, WAIT_LIST);
cl_int clEnqueueSVMMigrateMem(cl_command_queue, cl_uint, const void **, const size_t *, cl_bitfield, WAIT_LIST);
void *clGetExtensionFunctionAddress(const char *);
void *clGetExtensionFunctionAddressForPlatform(cl_platform_id, const char *);

#endif
