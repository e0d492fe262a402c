#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mtl/deploy/answer_text.hpp"

struct PredictOptions {
  mtl::AnswerText::Format format = mtl::AnswerText::Format::csv;
  int64_t batch = 256;                 // rows or pictures that go through the network at once
  bool probabilities = false;          // of every class
  char separator = ',';                // of tables
  std::vector<std::string> keep = {};  // columns of a table to hand through
  int64_t workers = 1;                 // threads that read and decode pictures
};
