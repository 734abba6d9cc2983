// A stand-in for libcuda.so.1 for tests: the driver calls that the backend makes, on host memory,
// with the project's own kernel sources compiled for the processor. Each allocation has guards.
#include "emulated.h"
#include "resid.cu"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <ucontext.h>
#include <utility>
#include <vector>

EmulatedIndex* emulatedThread;
EmulatedIndex emulatedBlock, emulatedBlockSize, emulatedGridSize;
unsigned char* emulatedDynamic;

namespace {

// ---- fibers

const int kStack = 64 * 1024;
const int kMostThreads = 256;
const int kWarp = 32;

struct Fiber {
  EmulatedIndex index;
  ucontext_t context;
  jmp_buf at;
  std::vector<char> stack;
  bool started = false;
  bool running = false;
  int exchanges = 0;
  double offered[2];
};

struct Barrier {
  int arrived = 0;
  int generation = 0;
};

Fiber fibers[kMostThreads];
Fiber* current;
jmp_buf scheduler;
int threads;
int live;
int liveInWarp[kMostThreads / kWarp];
Barrier blockBarrier;
Barrier warpBarriers[kMostThreads / kWarp];
void (*kernel)(void**);
void** kernelArguments;

__attribute__((noinline)) void yield() {
  Fiber* own = current;
  if (_setjmp(own->at) == 0) {
    _longjmp(scheduler, 1);
  }
}

void release(Barrier& barrier) {
  barrier.arrived = 0;
  barrier.generation++;
}

__attribute__((noinline)) void wait(Barrier& barrier, int all) {
  int generation = barrier.generation;
  if (++barrier.arrived == all) {
    release(barrier);
    return;
  }
  while (barrier.generation == generation) {
    yield();
  }
}

// A fiber runs one thread of each block that is launched, for ever.
void body() {
  for (;;) {
    Fiber* own = current;
    kernel(kernelArguments);
    own->running = false;
    int warp = own->index.x / kWarp;
    live--;
    liveInWarp[warp]--;
    if (live > 0 && blockBarrier.arrived == live) {
      release(blockBarrier);
    }
    if (liveInWarp[warp] > 0 && warpBarriers[warp].arrived == liveInWarp[warp]) {
      release(warpBarriers[warp]);
    }
    yield();
  }
}

__attribute__((noinline)) void resume(Fiber& fiber) {
  current = &fiber;
  emulatedThread = &fiber.index;
  if (_setjmp(scheduler) == 0) {
    if (!fiber.started) {
      fiber.started = true;
      fiber.stack.resize(kStack);
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, body, 0);
      setcontext(&fiber.context);
    }
    _longjmp(fiber.at, 1);
  }
}

void runBlock() {
  live = threads;
  blockBarrier = Barrier();
  for (int w = 0; w * kWarp < threads; w++) {
    warpBarriers[w] = Barrier();
    liveInWarp[w] = threads - w * kWarp < kWarp ? threads - w * kWarp : kWarp;
  }
  for (int t = 0; t < threads; t++) {
    fibers[t].index = {(unsigned)t, 0, 0};
    fibers[t].running = true;
    fibers[t].exchanges = 0;
  }
  while (live > 0) {
    for (int t = 0; t < threads; t++) {
      if (fibers[t].running) {
        resume(fibers[t]);
      }
    }
  }
}

// ---- kernels by name; kernels.inc is made from the sources by the test that compiles this

bool reachable(const void* address);

template <class A>
void requireReachable(const char*, A) {}
template <class A>
void requireReachable(const char* name, A* address) {
  if (address != nullptr && !reachable(address)) {
    std::fprintf(stderr, "emulated GPU: %s was given memory of another GPU, or none\n", name);
    std::abort();
  }
}

template <class... A, std::size_t... I>
void spread(const char* name, void (*function)(A...), void** arguments, std::index_sequence<I...>) {
  if (name != nullptr) {
    (requireReachable(name, *reinterpret_cast<A*>(arguments[I])), ...);
  } else {
    function(*reinterpret_cast<A*>(arguments[I])...);
  }
}
// Runs a kernel for one thread; with a name, looks at its pointers instead.
template <class... A>
void spread(const char* name, void (*function)(A...), void** arguments) {
  spread(name, function, arguments, std::index_sequence_for<A...>());
}

#define KERNEL(name) \
  {#name, [](void** a) { spread(nullptr, name, a); }, [](void** a) { spread(#name, name, a); }},
struct Entry {
  const char* name;
  void (*run)(void**);
  void (*check)(void**);
};
const Entry kKernels[] = {
#include "kernels.inc"
};

// ---- memory

struct Allocation {
  size_t bytes;
  int device;
};

std::mutex lock;
std::map<char*, Allocation> allocations;
// The GPU of the context that is current in a thread; 0 where none was set.
thread_local int currentDevice;
const int kMostDevices = 8;
long launchesOf[kMostDevices];
int failingDevice = -1;
size_t inUse;
size_t total = size_t(4) << 30;
long launches;
long failLaunchAt = -1;
int failWith;
int sticky;
int deviceCount = 2;
int driverVersion = 13000;
int capabilityMajor = 9;
std::string loadedImage;
const size_t kGuard = 64;
const unsigned char kGuardByte = 0xA5;

bool guardsAreWhole(char* at, size_t bytes) {
  for (size_t i = 0; i < kGuard; i++) {
    if ((unsigned char)at[bytes + i] != kGuardByte || (unsigned char)at[-1 - (long)i] != kGuardByte) {
      return false;
    }
  }
  return true;
}

void checkGuards() {
  for (auto& allocation : allocations) {
    if (!guardsAreWhole(allocation.first, allocation.second.bytes)) {
      std::fprintf(stderr, "emulated GPU: something was written beside an allocation\n");
      std::abort();
    }
  }
}

// Whether a range lies in one allocation of the current GPU.
bool inside(const void* address, size_t bytes) {
  char* at = (char*)address;
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) {
    return false;
  }
  --after;
  return after->second.device == currentDevice
      && at + bytes <= after->first + after->second.bytes;
}

bool reachable(const void* address) { return inside(address, 0); }

const int kOutOfMemory = 2, kInvalidValue = 1, kInvalidDevice = 101, kNotFound = 500,
          kIllegalAddress = 700;

}  // namespace

void emulatedBlockBarrier() { wait(blockBarrier, live); }

double emulatedExchange(double value, int step) {
  Fiber* own = current;
  int slot = own->exchanges++ & 1;
  own->offered[slot] = value;
  int warp = own->index.x / kWarp;
  wait(warpBarriers[warp], liveInWarp[warp]);
  return fibers[own->index.x ^ step].offered[slot];
}

#define EXPORT extern "C" __attribute__((visibility("default")))

// ---- control, for tests

EXPORT void resid_emulated_fail_launch(long number, int code) {
  failLaunchAt = number < 0 ? -1 : launches + number;
  failWith = code;
  failingDevice = -1;
  sticky = 0;
}
EXPORT void resid_emulated_fail_device(int device, long number, int code) {
  resid_emulated_fail_launch(number, code);
  failLaunchAt = launchesOf[device] + number;
  failingDevice = device;
}
EXPORT long resid_emulated_launches_of(int device) { return launchesOf[device]; }
EXPORT void resid_emulated_memory(long bytes) { total = bytes; }
EXPORT long resid_emulated_in_use() {
  std::lock_guard<std::mutex> guard(lock);
  checkGuards();
  return (long)inUse;
}
EXPORT int resid_emulated_has_binary() { return loadedImage.compare(0, 8, "stand-in") == 0; }
EXPORT long resid_emulated_launches() { return launches; }
EXPORT void resid_emulated_device(int count, int version, int capability) {
  deviceCount = count;
  driverVersion = version;
  capabilityMajor = capability;
}

// ---- the driver's calls

EXPORT int cuInit(unsigned) { return 0; }
EXPORT int cuDriverGetVersion(int* version) { return *version = driverVersion, 0; }
EXPORT int cuDeviceGetCount(int* count) { return *count = deviceCount, 0; }
EXPORT int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal >= 0 && ordinal < deviceCount ? 0 : kInvalidDevice;
}
EXPORT int cuDeviceGetName(char* name, int length, int) {
  std::snprintf(name, length, "emulated GPU");
  return 0;
}
EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = total, 0; }
EXPORT int cuDeviceGetAttribute(int* value, int attribute, int) {
  switch (attribute) {
    case 75:
      return *value = capabilityMajor, 0;
    case 76:
      return *value = 0, 0;
    case 8:
      return *value = 48 * 1024, 0;
    default:
      return kInvalidValue;
  }
}
EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = (void*)(uintptr_t)(device + 1);
  return 0;
}
EXPORT int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
EXPORT int cuDevicePrimaryCtxRelease(int) { return 0; }
EXPORT int cuCtxSetCurrent(void* context) {
  currentDevice = context == nullptr ? 0 : (int)(uintptr_t)context - 1;
  return sticky;
}
EXPORT int cuStreamCreate(void** stream, unsigned) { return *stream = (void*)0x51, 0; }
EXPORT int cuStreamDestroy_v2(void*) { return 0; }
EXPORT int cuStreamSynchronize(void*) { return sticky; }
EXPORT int cuEventCreate(void** event, unsigned) { return *event = (void*)0x52, 0; }
EXPORT int cuEventRecord(void*, void*) { return sticky; }
EXPORT int cuEventSynchronize(void*) { return sticky; }
EXPORT int cuEventDestroy_v2(void*) { return 0; }
EXPORT int cuMemGetInfo_v2(size_t* free, size_t* all) {
  *free = total > inUse ? total - inUse : 0;
  *all = total;
  return 0;
}
EXPORT int cuMemAlloc_v2(char** address, size_t bytes) {
  std::lock_guard<std::mutex> guard(lock);
  if (bytes == 0) {
    return kInvalidValue;
  }
  if (inUse + bytes > total) {
    return kOutOfMemory;
  }
  char* whole = (char*)std::aligned_alloc(256, (256 + bytes + kGuard + 255) / 256 * 256);
  std::memset(whole, kGuardByte, 256);
  // Numbers that are read before they are written are NaN.
  std::memset(whole + 256, 0xFF, bytes);
  std::memset(whole + 256 + bytes, kGuardByte, kGuard);
  *address = whole + 256;
  allocations[*address] = {bytes, currentDevice};
  inUse += bytes;
  return 0;
}
EXPORT int cuMemFree_v2(char* address) {
  std::lock_guard<std::mutex> guard(lock);
  auto found = allocations.find(address);
  if (found == allocations.end()) {
    return kInvalidValue;
  }
  checkGuards();
  inUse -= found->second.bytes;
  allocations.erase(found);
  std::free(address - 256);
  return 0;
}
EXPORT int cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  *pointer = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  return 0;
}
EXPORT int cuMemFreeHost(void* pointer) {
  std::free(pointer);
  return 0;
}
static int copy(void* to, const void* from, size_t bytes, const void* onDevice) {
  std::lock_guard<std::mutex> guard(lock);
  if (sticky != 0) {
    return sticky;
  }
  if (!inside(onDevice, bytes)) {
    return sticky = kIllegalAddress;
  }
  std::memmove(to, from, bytes);
  return 0;
}
EXPORT int cuMemcpyHtoDAsync_v2(void* to, const void* from, size_t bytes, void*) {
  return copy(to, from, bytes, to);
}
EXPORT int cuMemcpyDtoHAsync_v2(void* to, const void* from, size_t bytes, void*) {
  return copy(to, from, bytes, from);
}
EXPORT int cuMemcpyDtoDAsync_v2(void* to, const void* from, size_t bytes, void*) {
  int result = copy(to, from, bytes, to);
  return result != 0 ? result : copy(to, from, bytes, from);
}
EXPORT int cuMemsetD32Async(void* to, unsigned value, size_t count, void*) {
  std::lock_guard<std::mutex> guard(lock);
  if (!inside(to, 4 * count)) {
    return sticky = kIllegalAddress;
  }
  for (size_t i = 0; i < count; i++) {
    ((unsigned*)to)[i] = value;
  }
  return 0;
}
EXPORT int cuModuleLoadData(void** module, const void* image) {
  const char* text = (const char*)image;
  *module = (void*)0x53;
  loadedImage = std::string(text, strnlen(text, 40));
  const std::string binary = "stand-in for a binary of sm_";
  if (loadedImage.compare(0, binary.size(), binary) == 0) {
    // For another architecture: CUDA_ERROR_NO_BINARY_FOR_GPU.
    return loadedImage == binary + std::to_string(capabilityMajor) + "0" ? 0 : 209;
  }
  return std::strstr(text, ".version 7.0") != nullptr && std::strstr(text, "resid_add") != nullptr
      ? 0
      : 218;
}
EXPORT int cuModuleUnload(void*) { return 0; }
EXPORT int cuModuleGetFunction(void** function, void*, const char* name) {
  for (const Entry& entry : kKernels) {
    if (std::strcmp(entry.name, name) == 0) {
      *function = (void*)&entry;
      return 0;
    }
  }
  return kNotFound;
}
EXPORT int cuLaunchKernel(
    void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
    unsigned sharedBytes, void*, void** arguments, void**) {
  std::lock_guard<std::mutex> guard(lock);
  if (sticky != 0) {
    return sticky;
  }
  long own = launchesOf[currentDevice]++;
  if (launches++ == failLaunchAt && failingDevice < 0) {
    return sticky = failWith;
  }
  if (failingDevice == currentDevice && own == failLaunchAt) {
    return failWith; // the other GPUs go on
  }
  ((const Entry*)function)->check(arguments);
  if (gx == 0 || gy == 0 || gz != 1 || gy > 65535 || bx == 0 || bx > kMostThreads || by != 1
      || bz != 1 || sharedBytes > 48 * 1024) {
    return kInvalidValue;
  }
  std::vector<unsigned char> dynamic(sharedBytes + kGuard, 0xFF);
  emulatedDynamic = dynamic.data();
  emulatedBlockSize = {bx, 1, 1};
  emulatedGridSize = {gx, gy, 1};
  threads = (int)bx;
  kernel = ((const Entry*)function)->run;
  kernelArguments = arguments;
  for (unsigned y = 0; y < gy; y++) {
    for (unsigned x = 0; x < gx; x++) {
      emulatedBlock = {x, y, 0};
      runBlock();
    }
  }
  for (size_t i = 0; i < kGuard; i++) {
    if (dynamic[sharedBytes + i] != 0xFF) {
      std::fprintf(stderr, "emulated GPU: a kernel wrote beyond its shared memory\n");
      std::abort();
    }
  }
  return 0;
}
