// A stand-in for libnvrtc for tests: the functions that the backend calls. It checks its arguments as
// NVRTC does, and what it makes of the sources says for which architecture it was made.
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {
struct Program {
  std::vector<std::string> texts;
  std::string log;
  std::string made;
};
const int kInvalidInput = 3, kInvalidOption = 5, kCompilation = 6;

// The names that a text includes, each of which has to be among the headers.
std::string missing(const std::string& text, int count, const char* const* names) {
  const std::string include = "\n#include \"";
  for (size_t at = text.find(include); at != std::string::npos; at = text.find(include, at + 1)) {
    size_t begin = at + include.size();
    std::string name = text.substr(begin, text.find('"', begin) - begin);
    bool there = false;
    for (int i = 0; i < count; i++) {
      there = there || name == names[i];
    }
    if (!there) {
      return name;
    }
  }
  return "";
}
}  // namespace

EXPORT int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 6, 0; }
EXPORT int nvrtcCreateProgram(
    Program** program, const char* source, const char* name, int count, const char* const* headers,
    const char* const* names) {
  if (std::strcmp(name, "resid.cu") != 0) {
    return kInvalidInput;
  }
  *program = new Program();
  (*program)->texts.push_back(std::string("\n") + source);
  for (int i = 0; i < count; i++) {
    (*program)->texts.push_back(std::string("\n") + headers[i]);
  }
  for (const std::string& text : (*program)->texts) {
    std::string name = missing(text, count, names);
    if (!name.empty()) {
      (*program)->log = "cannot open source file \"" + name + "\"";
    }
  }
  return 0;
}
EXPORT int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
  std::string all;
  for (int i = 0; i < count; i++) {
    all += std::string(options[i]) + "\n";
  }
  const std::string architecture = "--gpu-architecture=sm_";
  size_t at = all.find(architecture);
  if (at == std::string::npos || all.find("--fmad=false\n") == std::string::npos) {
    return kInvalidOption;
  }
  std::string target = all.substr(at + architecture.size(), 2);
  if (target > "90") {
    program->log = "error: invalid value for --gpu-architecture (-arch)\nand more";
    return kInvalidOption;
  }
  program->made = "stand-in for a binary of sm_" + target;
  return program->log.empty() ? 0 : kCompilation;
}
EXPORT int nvrtcGetProgramLogSize(Program* program, size_t* size) {
  return *size = program->log.size() + 1, 0;
}
EXPORT int nvrtcGetProgramLog(Program* program, char* log) {
  return std::memcpy(log, program->log.c_str(), program->log.size() + 1), 0;
}
EXPORT int nvrtcGetCUBINSize(Program* program, size_t* size) {
  return *size = program->made.size() + 1, 0;
}
EXPORT int nvrtcGetCUBIN(Program* program, char* made) {
  return std::memcpy(made, program->made.c_str(), program->made.size() + 1), 0;
}
EXPORT int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return 0;
}
