#include "python_expression.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "mtl/deploy/description.hpp"

namespace mtl::deploy_detail {
namespace {

using io::Json;

constexpr size_t widest = 100;

/// "f(", its arguments and ")", on one line or one argument a line.
struct Call {
  std::string open;
  struct Argument {
    std::string before;  // "name=", "\"key\": "
    Json value;
  };
  std::vector<Argument> arguments;
  std::string close;
};

bool is_numbered(const Json& steps) {
  for (size_t k = 0; k < steps.size(); ++k)
    if (steps[k].at("name") != std::to_string(k)) return false;
  return true;
}

Call sequential(const Json& description) {
  const Json& steps = description.at("steps");
  Call call{"nn.Sequential(", {}, ")"};
  if (is_numbered(steps)) {
    for (const Json& step : steps) call.arguments.push_back({"", step.at("part")});
    return call;
  }
  call = {"nn.Sequential(OrderedDict(", {}, "))"};
  Json pairs = Json::object();
  for (const Json& step : steps) pairs[step.at("name").get<std::string>()] = step.at("part");
  call.arguments.push_back({"", std::move(pairs)});
  return call;
}

/// What a module of one's own holds by itself; the rest is in its parts.
Json direct(const Json& tensors) {
  Json own = Json::object();
  for (const auto& item : tensors.items())
    if (item.key().find('.') == std::string::npos) own[item.key()] = item.value();
  return own;
}

Call own_part(const Json& description) {
  Call call{python_name(description) + "(", {{"", description.at("parts")}}, ")"};
  if (description.at("kind") == "Parts") return call;
  for (const char* list : {"weights", "buffers"})
    if (Json own = direct(description.at(list)); !own.empty())
      call.arguments.push_back({std::string(list) + "=", std::move(own)});
  return call;
}

Call call_of(const Json& value) {
  if (value.is_array()) {
    Call call{"[", {}, "]"};
    for (const Json& item : value) call.arguments.push_back({"", item});
    return call;
  }
  if (!is_description(value)) {
    Call call{"{", {}, "}"};
    for (const auto& item : value.items())
      call.arguments.push_back({io::json_text(Json(item.key()), -1) + ": ", item.value()});
    return call;
  }
  if (value.contains("own")) return own_part(value);
  if (value.at("kind") == "nn.Sequential") return sequential(value);
  Call call{python_name(value) + "(", {}, ")"};
  for (const auto& item : value.items())
    if (item.key() != "kind" && item.key() != "training")
      call.arguments.push_back({item.key() + "=", item.value()});
  return call;
}

std::string on_one_line(const Json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (!value.is_structured()) return io::json_text(value, -1);
  const Call call = call_of(value);
  std::string text = call.open;
  for (const auto& argument : call.arguments)
    text += (&argument == call.arguments.data() ? "" : ", ") + argument.before +
            on_one_line(argument.value);
  return text + call.close;
}

}  // namespace

bool is_description(const Json& value) {
  const auto kind = value.is_object() ? value.find("kind") : value.end();
  return kind != value.end() && kind->is_string();
}

std::string python_name(const Json& description) {
  std::string name = description.at("kind").get<std::string>();
  if (!description.contains("own") || name == "Parts") return name;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  const auto& kinds = own_kinds();
  const bool taken =
      std::any_of(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.name == name; });
  return taken || name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) ? "Own" + name
                                                                                    : name;
}

std::string python_expression(const Json& value, size_t indent, size_t used) {
  std::string line = on_one_line(value);
  if (!value.is_structured() || used + line.size() <= widest) return line;
  const Call call = call_of(value);
  const std::string inner(indent + 4, ' ');
  std::string text = call.open + "\n";
  for (const auto& argument : call.arguments)
    text += inner + argument.before +
            python_expression(argument.value, indent + 4, indent + 5 + argument.before.size()) +
            ",\n";
  return text + std::string(indent, ' ') + call.close;
}

}  // namespace mtl::deploy_detail
