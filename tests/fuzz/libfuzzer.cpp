#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "target.hpp"

// The way in for libFuzzer; MTL_FUZZ names the target.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const fuzz::Target& target = []() -> const fuzz::Target& {
    const char* name = std::getenv("MTL_FUZZ");
    for (const auto& one : fuzz::targets())
      if (name != nullptr && one.name == name) return one;
    fuzz::require(false, "MTL_FUZZ does not name a target");
    std::abort();
  }();
  target.run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
