#include "mtl/train/callback.hpp"

#include <cxxabi.h>

#include <cstdlib>

namespace mtl {

std::string Callback::type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : type.name();
}

}  // namespace mtl
