#pragma once

#include <string>

#include "mtl/core/error.hpp"

/// The text of the mtl::Error that `action` throws; empty where it throws none. Other exceptions
/// pass through.
template <class Action>
std::string error_text(Action&& action) {
  try {
    action();
  } catch (const mtl::Error& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
