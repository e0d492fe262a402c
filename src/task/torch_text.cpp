#include "torch_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mtl {

std::string torch_text(const c10::Error& error) {
  std::string text = error.what_without_backtrace();
  text.erase(std::min(text.find('\n'), text.size()));
  return text;
}

std::string torch_text(const c10::Error& error, const Tensor& prediction, const Tensor& target) {
  return fmt::format("prediction {} of type {} and target {} of type {}: {}",
                     shape_text(prediction), toString(prediction.scalar_type()), shape_text(target),
                     toString(target.scalar_type()), torch_text(error));
}

}  // namespace mtl
