#include "methods.hpp"

namespace mtl {

const std::vector<Method>& gradient_methods() {
  static const std::vector<Method> methods = {};
  return methods;
}

}  // namespace mtl
