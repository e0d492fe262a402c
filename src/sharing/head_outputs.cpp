#include "mtl/sharing/head_outputs.hpp"

#include <utility>

namespace mtl {

std::vector<DerivedTask> outputs_of(const std::string& head_of, std::vector<HeadOutputs> tasks) {
  if (tasks.empty()) throw Error("outputs of task \"{}\": no task reads them", head_of);
  int64_t all = 0;
  for (const HeadOutputs& one : tasks) {
    if (one.outputs < 1)
      throw Error("outputs of task \"{}\": task \"{}\" reads {}, expected at least 1", head_of,
                  one.task.name, one.outputs);
    all += one.outputs;
  }
  std::vector<DerivedTask> derived;
  int64_t first = 0;
  for (HeadOutputs& one : tasks) {
    const auto read = [head_of, first, count = one.outputs, all](const NamedTensors& predictions) {
      const Tensor& prediction = predictions[head_of];
      if (prediction.dim() < 2 || prediction.size(1) != all)
        throw Error("its head gives {}, and the tasks that read it have [N, {}]",
                    shape_text(prediction), all);
      return prediction.narrow(1, first, count);
    };
    first += one.outputs;
    derived.push_back({std::move(one.task), {head_of}, read});
  }
  return derived;
}

}  // namespace mtl
