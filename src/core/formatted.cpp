#include "mtl/core/formatted.hpp"

#include <fmt/args.h>
#include <fmt/format.h>

namespace mtl {

std::string format_values(std::string_view text, std::initializer_list<FormatValue> values) {
  fmt::dynamic_format_arg_store<fmt::format_context> arguments;
  for (const FormatValue& value : values)
    std::visit([&](const auto& held) { arguments.push_back(held); }, value.value_);
  return fmt::vformat(text, arguments);
}

}  // namespace mtl
