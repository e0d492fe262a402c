#pragma once

#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/streams.hpp"
#include "mtl/sharing/low_rank_updates.hpp"

namespace mtl::deploy_detail {

struct LowRankUpdatesKind {
  using Module = LowRankUpdatesImpl;
  static constexpr std::string_view name = "LowRankUpdates";
  static constexpr std::string_view python_needs = streams_python;
  static constexpr std::string_view python = R"py(
class LowRankUpdates(nn.Module):
    """Linear layers with updates of low rank, one for all tasks and one for each."""

    def __init__(self, layers, rank, task_rank, scale, task_scale, activation, heads, input=""):
        super().__init__()
        self.layers = nn.ModuleList(layer["linear"] for layer in layers)
        self.heads, self.input, self.activation = Parts(heads), input, ACTIVATIONS[activation]
        self.scale, self.task_scale, self.shared_updates = scale, task_scale, Parts()
        self.task_updates = Parts({task: Parts() for task in heads})

        def update(linear, rank):
            out, width = linear.weight.shape
            return Weights({"a": [rank, width], "b": [out, rank]})

        for k, layer in enumerate(layers):
            if rank:
                self.shared_updates.add(k, update(layer["linear"], rank))
            if layer["by_task"]:
                for task in heads:
                    self.task_updates[task].add(k, update(layer["linear"], task_rank))

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        for k in range(len(self.layers)):
            y = through(lambda x: self.shared(k, x), x)
            if k in self.task_updates[next(iter(self.heads))]:
                before = x
                y = parted(y, lambda task, own: own + self.task_scale * self.updated(
                    before[task] if isinstance(before, dict) else before,
                    self.task_updates[task][k]), self.heads)
            x = through(self.activation, y)
        return answered(self.heads, x)

    def shared(self, k, x):
        y = self.layers[k](x)
        if k in self.shared_updates:
            y = y + self.scale * self.updated(x, self.shared_updates[k])
        return y

    def updated(self, x, update):
        return F.linear(F.linear(x, update["a"]), update["b"])
)py";
  struct Layer {
    nn::Layer linear;
    bool by_task = true;
    void fields(Fields& f) {
      f("linear", linear);
      f("by_task", by_task);
    }
  };
  std::vector<Layer> layers;
  Module::Options options = {};
  std::string input;

  static LowRankUpdatesKind of(const Module& model) {
    LowRankUpdatesKind described{{}, model.options(), model.input()};
    for (const auto& layer : model.layers())
      described.layers.push_back({layer.linear, layer.by_task});
    return described;
  }
  void fields(Fields& f) {
    f("layers", layers);
    f("rank", options.rank);
    f("task_rank", options.task_rank);
    f("scale", options.scale);
    f("task_scale", options.task_scale);
    f.choice("activation", options.activation, nn::activation_names);
    f("input", input);
  }
  double numbers(double tasks) const {
    double sum = 0;
    for (const Layer& layer : layers) {
      const auto& size = linear_of(layer)->options;
      sum += static_cast<double>(size.in_features() + size.out_features()) *
             (static_cast<double>(options.rank) +
              (layer.by_task ? tasks * static_cast<double>(options.task_rank) : 0));
    }
    return sum;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    std::vector<Module::Layer> typed;
    for (const Layer& layer : layers)
      typed.push_back({torch::nn::Linear(linear_of(layer)), layer.by_task});
    return std::make_shared<Module>(std::move(typed), std::move(tasks), options, input);
  }
  static std::shared_ptr<torch::nn::LinearImpl> linear_of(const Layer& layer) {
    auto linear = std::dynamic_pointer_cast<torch::nn::LinearImpl>(layer.linear.module());
    if (linear == nullptr) throw Error("{}: a layer is no nn.Linear", name);
    return linear;
  }
};

}  // namespace mtl::deploy_detail
