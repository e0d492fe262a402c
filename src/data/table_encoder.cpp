#include "mtl/data/table_encoder.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>
#include <unordered_map>

#include "mtl/core/error.hpp"
#include "mtl/data/dataset.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/json_member.hpp"

namespace mtl {
namespace {

constexpr double day_seconds = 86400, year_days = 365.2425;
constexpr double normal_quartiles = 1.349;  // distance of a normal distribution's, in deviations
constexpr double farthest = 3;              // what numbers far out come to

/// Of ascending values, by linear interpolation.
double quantile(const std::vector<double>& ascending, double share) {
  const double at = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (at - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

const TableColumn& column_named(const std::vector<TableColumn>& columns, const std::string& name) {
  for (const TableColumn& column : columns)
    if (column.name == name) return column;
  throw Error("TableEncoder: column \"{}\", which it learnt from, is not there", io::excerpt(name));
}

/// Of numbers or dates, float64 [rows]. Error: they are no vector of real numbers.
Tensor values_of(const TableColumn& column) {
  if (!column.values.defined() || column.values.dim() != 1 || column.values.is_complex())
    throw Error("TableEncoder: column \"{}\" holds {}, whose values must be [rows], found {}",
                column.name, name_of(column.kind), shape_text(column.values));
  return column.values.to(torch::kFloat64);
}

int64_t rows_of(const TableColumn& column) {
  return column.kind == ColumnKind::texts ? std::ssize(column.texts) : values_of(column).size(0);
}

/// z / sqrt(1 + (z / 3)^2), where what lies beyond squares of a double is as far out as the rest.
Tensor bent_in(const Tensor& z) {
  constexpr double far_out = 1e100;
  const Tensor near = z.clamp(-far_out, far_out);
  return near / (1 + (near / farthest).square()).sqrt();
}

/// Sine and cosine of a phase in circles.
void add_circle(std::vector<Tensor>& parts, const Tensor& phase) {
  parts.push_back((phase * (2 * std::numbers::pi)).sin());
  parts.push_back((phase * (2 * std::numbers::pi)).cos());
}

}  // namespace

TableEncoder::TableEncoder(const std::vector<TableColumn>& columns, const Tensor& rows,
                           Options options) {
  if (columns.empty()) throw Error("TableEncoder: there is no column");
  if (options.most_texts < 1 || options.bins < 0)
    throw Error("TableEncoder: found most_texts {} and bins {}, expected at least 1 and 0",
                options.most_texts, options.bins);
  const int64_t size = rows_of(columns.front());
  const Tensor learnt_from = rows.defined() ? rows : torch::arange(size);
  data_detail::check_indices(learnt_from, size, "TableEncoder");
  for (const TableColumn& column : columns) {
    if (rows_of(column) != size)
      throw Error("TableEncoder: column \"{}\" has {} rows, \"{}\" has {}", column.name,
                  rows_of(column), columns.front().name, size);
    Learnt learnt{.name = column.name, .kind = column.kind};
    bool tells = true;
    if (column.kind == ColumnKind::texts) {
      tells = learn_texts(learnt, column.texts, learnt_from, options.most_texts);
    } else {
      learn_values(learnt, values_of(column).index_select(0, learnt_from),
                   column.kind == ColumnKind::numbers ? options.bins : 0);
      tells = learnt.scale > 0 || learnt.missing;
      if (!tells) left_out_.push_back(fmt::format("\"{}\": one value only", column.name));
    }
    if (learnt.scale <= 0) learnt.scale = 1;
    if (tells) columns_.push_back(std::move(learnt));
  }
  if (columns_.empty())
    throw Error("TableEncoder: no column tells anything. {}",
                fmt::format("{}", fmt::join(left_out_, "; ")));
}

void TableEncoder::learn_values(Learnt& learnt, Tensor values, int64_t bins) {
  const Tensor there = values.isnan().logical_not();
  learnt.missing = !there.all().item<bool>();
  values = std::get<0>(values.masked_select(there).sort()).contiguous();
  if (values.isinf().any().item<bool>())
    throw Error("TableEncoder: a value of column \"{}\" is infinite. Mark missing values by NaN",
                learnt.name);
  learnt.scale = 0;
  if (values.size(0) == 0) {  // nothing but missing cells: not even their column tells anything
    learnt.missing = false;
    return;
  }
  const double* begin = values.data_ptr<double>();
  const std::vector<double> ascending(begin, begin + values.size(0));
  learnt.median = quantile(ascending, 0.5);
  learnt.scale = (quantile(ascending, 0.75) - quantile(ascending, 0.25)) / normal_quartiles;
  const double half_width = ascending.back() / 2 - ascending.front() / 2;
  // Mostly one value, but for rounding: the quartiles say nothing about the others. A value that
  // lies very far out (1e20 for "missing") is not to say so.
  const double rounding = 1e-12 * std::min(half_width, std::max(1.0, std::abs(learnt.median)));
  if (!(learnt.scale > rounding)) learnt.scale = half_width;
  learnt.times = learnt.kind == ColumnKind::dates &&
                 std::any_of(ascending.begin(), ascending.end(),
                             [](double seconds) { return std::fmod(seconds, day_seconds) != 0; });
  if (bins > 0) {
    std::set<double> edges;
    for (int64_t i = 0; i <= bins; ++i)
      edges.insert(quantile(ascending, static_cast<double>(i) / static_cast<double>(bins)));
    if (edges.size() > 2) learnt.edges.assign(edges.begin(), edges.end());
  }
}

bool TableEncoder::learn_texts(Learnt& learnt, const std::vector<std::string>& texts,
                               const Tensor& rows, int64_t most) {
  std::map<std::string, int64_t> counts;
  int64_t there = 0;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const std::string& text = texts[static_cast<size_t>(rows[i].item<int64_t>())];
    if (text.empty())
      learnt.missing = true;
    else
      ++counts[text], ++there;
  }
  const auto different = std::ssize(counts);
  if (different == 0 || (different == 1 && !learnt.missing)) {
    left_out_.push_back(fmt::format("\"{}\": one value only", learnt.name));
    return false;
  }
  if (different > most && 2 * different > there) {
    left_out_.push_back(fmt::format("\"{}\": {} different texts in {} cells, such as \"{}\"",
                                    learnt.name, different, there,
                                    io::excerpt(counts.begin()->first, 40)));
    return false;
  }
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [text, count] : counts) order.emplace_back(-count, text);
  std::sort(order.begin(), order.end());
  for (const auto& [count, text] : order)
    (std::ssize(learnt.texts) < most ? learnt.texts : learnt.others).push_back(text);
  std::sort(learnt.texts.begin(), learnt.texts.end());
  return true;
}

std::vector<std::string> TableEncoder::columns() const {
  std::vector<std::string> names;
  for (const Learnt& learnt : columns_) names.push_back(learnt.name);
  return names;
}

int64_t TableEncoder::size() const {
  int64_t size = 0;
  for (const Learnt& learnt : columns_) {
    size += learnt.missing ? 1 : 0;
    if (learnt.kind == ColumnKind::texts)
      size += std::ssize(learnt.texts) + 1;
    else if (learnt.kind == ColumnKind::dates)
      size += 1 + 2 + 7 + (learnt.times ? 2 : 0);
    else
      size += 1 + std::max<int64_t>(std::ssize(learnt.edges) - 1, 0);
  }
  return size;
}

std::vector<TableColumn> TableEncoder::read(const Table& table) const {
  std::vector<ColumnKind> kinds;
  for (const Learnt& learnt : columns_) kinds.push_back(learnt.kind);
  return read_columns(table, columns(), kinds);
}

Tensor TableEncoder::encode(const std::vector<TableColumn>& columns) const {
  std::vector<Tensor> parts;  // [rows] each
  for (const Learnt& learnt : columns_) {
    const TableColumn& column = column_named(columns, learnt.name);
    if (column.kind != learnt.kind)
      throw Error("TableEncoder: column \"{}\" holds {}, but held {} where it was learnt",
                  learnt.name, name_of(column.kind), name_of(learnt.kind));
    if (learnt.kind == ColumnKind::texts) {
      const auto width = std::ssize(learnt.texts) + 1;
      std::unordered_map<std::string_view, int64_t> places;
      for (const std::string& text : learnt.texts) places.emplace(text, std::ssize(places));
      const Tensor block = torch::zeros({width + 1, rows_of(column)}, torch::kFloat64);
      for (size_t row = 0; row < column.texts.size(); ++row) {
        const auto found = places.find(column.texts[row]);
        const int64_t place = column.texts[row].empty() ? width
                              : found == places.end()   ? width - 1
                                                        : found->second;
        block.data_ptr<double>()[place * block.size(1) + static_cast<int64_t>(row)] = 1;
      }
      for (int64_t i = 0; i < width + (learnt.missing ? 1 : 0); ++i) parts.push_back(block[i]);
      continue;
    }
    const Tensor given = values_of(column), missing = given.isnan();
    const Tensor values = given.masked_fill(missing, learnt.median);
    parts.push_back(bent_in((values - learnt.median) / learnt.scale));
    for (size_t i = 0; i + 1 < learnt.edges.size(); ++i)
      parts.push_back(
          ((values - learnt.edges[i]) / (learnt.edges[i + 1] - learnt.edges[i])).clamp(0, 1));
    if (learnt.kind == ColumnKind::dates) {
      const Tensor days = (values / day_seconds).floor();
      add_circle(parts, days / year_days);
      for (int64_t weekday = 0; weekday < 7; ++weekday)  // 1970-01-01 was a Thursday
        parts.push_back((days + 3).remainder(7).eq(weekday).to(torch::kFloat64));
      if (learnt.times) add_circle(parts, values / day_seconds);
    }
    if (learnt.missing) parts.push_back(missing.to(torch::kFloat64));
  }
  return torch::stack(parts, 1).to(torch::kFloat32);
}

std::vector<std::string> TableEncoder::unseen(const std::vector<TableColumn>& columns) const {
  std::vector<std::string> lines;
  for (const Learnt& learnt : columns_) {
    if (learnt.kind != ColumnKind::texts) continue;
    std::set<std::string_view> known(learnt.texts.begin(), learnt.texts.end()), found;
    known.insert(learnt.others.begin(), learnt.others.end());
    int64_t rows = 0;
    for (const std::string& text : column_named(columns, learnt.name).texts) {
      if (text.empty() || known.contains(text)) continue;
      ++rows;
      found.insert(text);
    }
    if (rows > 0)
      lines.push_back(
          fmt::format("column \"{}\": {} rows with texts that training has not seen, "
                      "such as \"{}\"",
                      learnt.name, rows, io::excerpt(*found.begin(), 40)));
  }
  return lines;
}

io::Json TableEncoder::json() const {
  io::Json columns = io::Json::array();
  for (const Learnt& learnt : columns_)
    columns.push_back({{"name", learnt.name},
                       {"kind", name_of(learnt.kind)},
                       {"median", learnt.median},
                       {"scale", learnt.scale},
                       {"missing", learnt.missing},
                       {"times", learnt.times},
                       {"edges", learnt.edges},
                       {"texts", learnt.texts},
                       {"others", learnt.others}});
  return columns;
}

TableEncoder TableEncoder::from_json(const io::Json& json, const std::string& file) {
  TableEncoder encoder;
  if (!json.is_array() || json.empty())
    throw Error("{}: a list of encoded columns was expected", file);
  for (const io::Json& column : json) {
    Learnt& learnt = encoder.columns_.emplace_back();
    const auto get = [&]<class T>(const char* key, T& value) {
      value = io::json_member<T>(column, key, file);
    };
    get("name", learnt.name);
    learnt.kind = column_kind_named(io::json_member<std::string>(column, "kind", file));
    get("median", learnt.median);
    get("scale", learnt.scale);
    get("missing", learnt.missing);
    get("times", learnt.times);
    get("edges", learnt.edges);
    get("texts", learnt.texts);
    get("others", learnt.others);
    if (!(learnt.scale > 0))
      throw Error("{}: column \"{}\" has the scale {}", file, learnt.name, learnt.scale);
  }
  return encoder;
}

}  // namespace mtl
