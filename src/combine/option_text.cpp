#include "option_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mtl {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

OptionText::OptionText(std::string_view method, std::string_view text) : method_(method) {
  for (const std::string& entry : split(text, ',')) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error("combiner \"{}\": \"{}\" is not an option, expected name=value", method_, entry);
    }
    if (!given_.emplace(entry.substr(0, equals), entry.substr(equals + 1)).second) {
      throw Error("combiner \"{}\": option {} is given twice", method_, entry.substr(0, equals));
    }
  }
}

const std::string* OptionText::find(const std::string& name) {
  known_.push_back(name);
  const auto entry = given_.find(name);
  return entry == given_.end() ? nullptr : &entry->second;
}

double OptionText::parse(const std::string& name, const std::string& text) const {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw Error("combiner \"{}\": option {} is \"{}\", expected a number", method_, name, text);
  }
  return value;
}

double OptionText::number(const std::string& name, double otherwise) {
  const std::string* given = find(name);
  return given == nullptr ? otherwise : parse(name, *given);
}

int64_t OptionText::count(const std::string& name, int64_t otherwise) {
  const std::string* given = find(name);
  if (given == nullptr) return otherwise;
  const double value = parse(name, *given);
  if (value < 0 || value > 9007199254740992.0 || value != std::floor(value)) {
    throw Error("combiner \"{}\": option {} is \"{}\", expected a whole number from 0", method_,
                name, *given);
  }
  return static_cast<int64_t>(value);
}

std::vector<double> OptionText::numbers(const std::string& name) {
  std::vector<double> values;
  if (const std::string* given = find(name)) {
    for (const std::string& part : split(*given, '/')) values.push_back(parse(name, part));
    if (values.empty()) {
      throw Error("combiner \"{}\": option {} is empty, expected numbers as in 1/0.5", method_,
                  name);
    }
  }
  return values;
}

void OptionText::finish() const {
  for (const auto& [name, value] : given_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string names;
    for (const std::string& known : known_) names += (names.empty() ? "" : ", ") + known;
    throw Error("combiner \"{}\" has no option \"{}\"; it has: {}", method_, name,
                names.empty() ? "none" : names);
  }
}

}  // namespace mtl
