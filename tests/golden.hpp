#pragma once

#include <concepts>
#include <fstream>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

/// A file of tests/golden: values computed from the papers' definitions in double precision with
/// numpy, scipy and scikit-learn, by independent code. It stays read, since a loop over a part of a
/// temporary would outlive it.
inline const nlohmann::json& golden(const std::string& name) {
  static std::map<std::string, nlohmann::json> files;
  auto& values = files[name];
  if (values.is_null()) {
    std::ifstream file(std::string(MTL_SOURCE_DIR "/tests/golden/") + name);
    values = nlohmann::json::parse(file);
  }
  return values;
}

/// A list of numbers, or of lists of numbers, as a tensor in double precision.
template <std::same_as<nlohmann::json> Json>  // not what could become one
torch::Tensor tensor_of(const Json& values) {
  if (!values.empty() && values[0].is_array()) {
    std::vector<torch::Tensor> rows;
    for (const auto& row : values) rows.push_back(tensor_of(row));
    return torch::stack(rows);
  }
  return torch::tensor(values.template get<std::vector<double>>(), torch::kDouble);
}
