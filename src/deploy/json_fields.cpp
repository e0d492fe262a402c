#include "json_fields.hpp"

#include <fmt/ranges.h>

#include "mtl/io/excerpt.hpp"

namespace mtl::deploy_detail {
namespace {

std::string joined(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& step : path) {
    if (!text.empty() && !step.starts_with('[')) text += '.';
    text += step;
  }
  return text;
}

}  // namespace

void FieldWriter::visit(Part& part) {
  here() = part.module == nullptr ? io::Json() : describe(*part.module, joined(path_));
}

void FieldWriter::visit(std::shared_ptr<Model>& model) {
  Part part{model, {}};
  visit(part);
}

void FieldWriter::enter(std::string_view name) {
  places_.push_back(&here()[std::string(name)]);
  path_.emplace_back(name);
}

void FieldWriter::enter(size_t index) {
  places_.push_back(&here()[index]);
  path_.push_back("[" + std::to_string(index) + "]");
}

void FieldWriter::leave() {
  places_.pop_back();
  path_.pop_back();
}

size_t FieldWriter::list(size_t size) {
  // Made at once: what stands in a list that grows would move.
  here() = io::Json(io::Json::array_t(size));
  return size;
}

void FieldWriter::fail_choice(const std::string& found,
                              std::span<const std::string_view> names) const {
  throw Error("{}: found {}, expected one of {}", joined(path_), found,
              fmt::format("{}", fmt::join(names, ", ")));
}

std::string FieldReader::place() const { return joined(path_); }

void FieldReader::require(bool fits, std::string_view expected) const {
  if (!fits)
    throw Error("{}: found {}, expected {}", place(), io::excerpt(io::json_text(here(), -1)),
                expected);
}

void FieldReader::visit(int64_t& value) { value = io::json_integer(here(), place()); }

void FieldReader::visit(double& value) {
  require(here().is_number(), "a number");
  value = here().get<double>();
}

void FieldReader::visit(bool& value) {
  require(here().is_boolean(), "true or false");
  value = here().get<bool>();
}

void FieldReader::visit(std::string& value) {
  require(here().is_string(), "a text");
  value = here().get<std::string>();
}

void FieldReader::visit(Part& part) {
  if (!here().is_null()) part.layer = make(here(), place());
}

void FieldReader::visit(std::shared_ptr<Model>& model) { model = make_model(here(), place()); }

void FieldReader::enter(std::string_view name) {
  require(here().is_object(), "an object");
  const auto found = here().find(std::string(name));
  if (found == here().end()) throw Error("{}: \"{}\" is missing", place(), name);
  places_.push_back(&*found);
  path_.emplace_back(name);
}

void FieldReader::enter(size_t index) {
  places_.push_back(&here().at(index));
  path_.push_back("[" + std::to_string(index) + "]");
}

void FieldReader::leave() {
  places_.pop_back();
  path_.pop_back();
}

size_t FieldReader::list(size_t) {
  require(here().is_array(), "a list");
  return here().size();
}

void FieldReader::fail_choice(const std::string& found,
                              std::span<const std::string_view> names) const {
  throw Error("{}: found \"{}\", expected one of {}", place(), io::excerpt(found),
              fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace mtl::deploy_detail
