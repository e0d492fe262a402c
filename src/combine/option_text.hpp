#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"

namespace mtl {

/// The options of one combiner as text, "c=0.4,rescale=0". Whoever reads them says which there are;
/// finish() then knows what was not one of them.
class OptionText {
 public:
  /// Error: an entry without "=", or the same option twice.
  OptionText(std::string_view method, std::string_view text);

  double number(const std::string& name, double otherwise);
  int64_t count(const std::string& name, int64_t otherwise);
  /// Numbers separated by slashes; empty when the option is not given.
  std::vector<double> numbers(const std::string& name);
  template <class Enum>
  Enum choice(const std::string& name, Enum otherwise,
              std::initializer_list<std::pair<std::string_view, Enum>> values) {
    const std::string* given = find(name);
    if (given == nullptr) return otherwise;
    std::string known;
    for (const auto& [text, value] : values) {
      if (text == *given) return value;
      known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw Error("combiner \"{}\": option {} is \"{}\", expected one of: {}", method_, name, *given,
                known);
  }

  /// Error: an option that nobody asked for; the text lists those that were.
  void finish() const;

 private:
  const std::string* find(const std::string& name);
  double parse(const std::string& name, const std::string& text) const;

  std::string method_;
  std::map<std::string, std::string> given_;
  std::vector<std::string> known_;
};

}  // namespace mtl
