#include "mtl/evaluate/combiner_methods.hpp"

namespace mtl::evaluate {

std::vector<std::string> combiner_methods(std::string_view list) {
  std::vector<std::string> methods;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string part(list.substr(begin, end - begin));
    begin = end + 1;
    // "rescale=0" is an option more of the method before; "fixed:weights=1/2" is a method.
    const bool option = part.find('=') < part.find(':');
    if (option && !methods.empty())
      methods.back() += "," + part;
    else
      methods.push_back(part);
  }
  std::erase(methods, single_task);
  if (methods.empty())
    throw Error("\"{}\" names no method to compare with single-task models, as sum or kendall",
                list);
  for (const std::string& method : methods) make_combiner(method);
  return methods;
}

std::vector<Score> scores_of(const std::vector<Task>& tasks, const Predictions& found) {
  std::vector<Score> scores;
  for (const Task& task : tasks) {
    if (!found.predictions.contains(task.name)) continue;
    const std::vector<double> values = metrics_of(task, found);
    for (size_t i = 0; i < values.size(); ++i)
      scores.push_back({task.name, task.metrics[i].name, values[i],
                        task.metrics[i].higher_is_better ? Better::higher : Better::lower,
                        task.auxiliary});
  }
  return scores;
}

}  // namespace mtl::evaluate
