#include "mtl/deploy/answer_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "mtl/core/error.hpp"
#include "mtl/io/csv.hpp"
#include "mtl/io/json.hpp"

namespace mtl {

/// One number, or the name of a class, of each sample.
struct AnswerText::Column {
  std::string name;
  Tensor numbers;                                    // [N] float64
  const std::vector<std::string>* labels = nullptr;  // what numbers stand for
  bool is_class = false;
};

namespace {

Tensor as_numbers(const Tensor& values) { return values.to(torch::kFloat64).contiguous(); }

std::string label_of(const Answer& answer, int64_t k) {
  const auto index = static_cast<size_t>(k);
  return index < answer.labels.size() ? answer.labels[index] : std::to_string(k);
}

}  // namespace

std::vector<AnswerText::Column> AnswerText::columns(const Answers& answers) const {
  std::vector<Column> all;
  for (const Answer& answer : answers.by_task) {
    const bool classes = answer.kind == AnswerKind::classes;
    const auto& numbers = answer.kind == AnswerKind::scores ? answer.probabilities : answer.values;
    if (numbers.dim() > 2 || answer.probabilities.dim() > 2)
      throw Error("task \"{}\" answers with maps, which are no columns of a table", answer.task);
    const auto add_each = [&](const Tensor& of) {
      for (int64_t k = 0; k < of.size(1); ++k)
        all.push_back({answer.task + "." + label_of(answer, k), as_numbers(of.select(1, k))});
    };
    if (classes) {
      // A class of a sample that has no probabilities (a missing input) is none.
      const auto missing = answer.probabilities.isnan().any(1);
      all.push_back({answer.task, as_numbers(numbers).masked_fill(missing, std::nan("")),
                     &answer.labels, true});
      if (probabilities_) add_each(answer.probabilities);
    } else if (numbers.dim() == 2) {
      add_each(numbers);
    } else {
      all.push_back({answer.task, as_numbers(numbers)});
    }
  }
  return all;
}

void AnswerText::check_rows(const std::vector<std::vector<std::string>>& kept,
                            const std::vector<int64_t>& samples, int64_t count) const {
  const int64_t last =
      samples.empty() ? std::ssize(kept) - 1 : *std::max_element(samples.begin(), samples.end());
  if (last >= count || (!samples.empty() && samples.size() != kept.size()))
    throw Error("AnswerText: {} rows with a list of {} numbers up to {}, but {} samples",
                kept.size(), samples.size(), last, count);
  for (const auto& row : kept)
    if (row.size() != kept_.size())
      throw Error("AnswerText: a row of {} cells for the {} columns that are kept", row.size(),
                  kept_.size());
}

std::string AnswerText::header(const Answers& answers) const {
  if (format_ == Format::json) return {};
  std::vector<std::string> names = kept_;
  for (const Column& column : columns(answers)) names.push_back(column.name);
  return io::csv_row(names);
}

std::string AnswerText::lines(const Answers& answers) const {
  const Tensor& first = answers.by_task.at(0).values;
  return lines(answers, std::vector<std::vector<std::string>>(static_cast<size_t>(first.size(0))));
}

std::string AnswerText::lines(const Answers& answers,
                              const std::vector<std::vector<std::string>>& kept,
                              const std::vector<int64_t>& samples) const {
  const auto all = columns(answers);
  check_rows(kept, samples, all.empty() ? 0 : all.front().numbers.size(0));
  // Names are quoted once, and a label once, not once a row.
  const auto quoted = [&](const std::string& text) {
    if (format_ == Format::json) return io::json_text(io::Json(text), -1);
    if (text.empty()) return text;
    std::string cell = io::csv_row({text});
    cell.pop_back();
    return cell;
  };
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> labels;
  for (const Column& column : all) {
    names.push_back(quoted(column.name));
    auto& of_column = labels.emplace_back();
    if (column.is_class)
      for (const std::string& label : *column.labels) of_column.push_back(quoted(label));
  }
  std::string text;
  for (size_t row = 0; row < kept.size(); ++row) {
    const char* between = format_ == Format::json ? "{" : "";
    const char* const comma = format_ == Format::json ? ", " : ",";
    const int64_t sample = samples.empty() ? static_cast<int64_t>(row) : samples[row];
    const size_t before = text.size();
    for (size_t c = 0; c < kept_.size(); ++c) {
      text += between;
      if (format_ == Format::json) text += quoted(kept_[c]) + ": ";
      text += quoted(kept[row][c]);
      between = comma;
    }
    for (size_t c = 0; c < all.size(); ++c) {
      text += between;
      if (format_ == Format::json) text += names[c] + ": ";
      const double number = sample < 0 ? std::nan("") : all[c].numbers.data_ptr<double>()[sample];
      if (!std::isfinite(number))
        text += format_ == Format::json ? "null" : "";
      else if (const auto k = static_cast<size_t>(number); all[c].is_class && k < labels[c].size())
        text += labels[c][k];
      else  // nine digits say which float it is; a time in seconds or a price needs more
        fmt::format_to(std::back_inserter(text), "{:.{}g}", number,
                       number == static_cast<float>(number) ? 9 : 15);
      between = comma;
    }
    if (text.size() == before) text += "\"\"";  // a blank line would be no row
    text += format_ == Format::json ? "}\n" : "\n";
  }
  return text;
}

}  // namespace mtl
