#include "mtl/evaluate/compare_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mtl/core/random.hpp"
#include "mtl/data/splits/random_split.hpp"
#include "mtl/evaluate/combiner_methods.hpp"
#include "mtl/evaluate/judged_table.hpp"
#include "mtl/io/digest.hpp"

namespace mtl::evaluate {
namespace {

struct StoppedTrial {};  // by Ctrl-C: no error of the trial's

/// Of all that a trial's scores depend on but the trial.
std::string table_identity(const TableData& data, const TableRecipe& recipe,
                           const TableLearning& learning) {
  io::Digest digest;
  const auto add = [&](const Tensor& values) {
    if (!values.defined()) return;
    const Tensor bytes = values.contiguous();
    digest.update({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
  };
  const auto add_texts = [&](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) digest.update(text + '\n');
  };
  for (const TableColumn& column : data.inputs) {
    add_texts({column.name});
    add(column.values);
    add_texts(column.texts);
  }
  for (const auto& target : data.targets) add(target.value());
  for (const TargetColumn& task : data.tasks) add_texts(task.classes);
  add(data.weights);
  add_texts({fmt::format("{} {} {} {} {} {}", recipe.width, recipe.dropout, recipe.weight_decay,
                         recipe.bins, learning.epochs, learning.seed)});
  return digest.text();
}

}  // namespace

Comparison compare_table(const TableData& data, const TableRecipe& recipe,
                         const TableLearning& learning, CompareOptions options) {
  options.tasks.clear();
  for (const TargetColumn& task : data.tasks) options.tasks.push_back(task.name);
  options.methods = {learning.combiner};
  options.first_seed = learning.seed;
  options.identity = table_identity(data, recipe, learning);
  options.directory /= options.identity;
  const auto parts = random_split(data.rows(), {0.65, 0.15, 0.2}, learning.seed);
  const auto run = [&](const Trial& trial) {
    TableData part = data;
    std::erase_if(part.tasks, [&](const TargetColumn& task) { return !trains(trial, task.name); });
    TableLearning own = learning;
    own.seed = mix_seed(trial.seed, 7);
    own.combiner = combiner_of(trial);
    try {
      TableModel model = learn_table(part, parts[0], parts[1], recipe, own);
      JudgedTable judged;
      judged.add(model, part, parts[0], parts[2]);
      return scores_of(judged_tasks(part.tasks), judged.answers().predictions);
    } catch (const Interrupted&) {
      throw StoppedTrial();
    }
  };
  try {
    return compare(options, run);
  } catch (const StoppedTrial&) {
    throw Interrupted("the comparison was stopped; it goes on where it was");
  }
}

}  // namespace mtl::evaluate
