#include "methods.hpp"

#include <optional>

#include "mtl/combine/engine/engine.hpp"
#include "mtl/combine/make_combiner.hpp"

namespace benchmarks {
namespace {

class EngineAlone : public mtl::Combiner {
 public:
  explicit EngineAlone(mtl::EnginePath path) : engine_({.path = path}) {}

  void backward(const mtl::TaskLosses& losses, const mtl::Parameters& parameters) override {
    engine_.begin(losses, parameters);
    const Eigen::VectorXd inverse = engine_.gramian().diagonal().cwiseSqrt().cwiseInverse();
    engine_.write_gradients(inverse / inverse.sum(), mtl::HeadGradient::plain);
  }

 private:
  mtl::Engine engine_;
};

std::unique_ptr<mtl::Combiner> combiner_of(const std::string& method,
                                           const mtl::TaskRegistry& tasks) {
  if (method == "engine") return std::make_unique<EngineAlone>(mtl::EnginePath::automatic);
  if (method == "engine_rows") return std::make_unique<EngineAlone>(mtl::EnginePath::rows);
  if (method == "engine_products") return std::make_unique<EngineAlone>(mtl::EnginePath::products);
  return mtl::make_combiner(method, tasks);
}

Tensor sum_of(const mtl::TaskLosses& losses) { return torch::stack(losses.values).sum(); }

Tensor value_of(const mtl::TaskLosses& losses) {
  const torch::NoGradGuard no_grad;
  return sum_of(losses);
}

}  // namespace

Step make_step(const std::string& method, Workload given) {
  const auto workload = std::make_shared<Workload>(std::move(given));
  if (method == "raw_forward") {
    return [=] {
      const torch::NoGradGuard no_grad;
      return sum_of(workload->losses(workload->next_batch()));
    };
  }
  std::shared_ptr<mtl::Combiner> combiner;
  if (method != "raw_sum" && method != "raw_backwards")
    combiner = combiner_of(method, workload->net->tasks());
  const std::shared_ptr<torch::optim::Optimizer> optimizer =
      workload->optimizer(combiner ? combiner->parameters() : std::vector<Tensor>{});
  return [=] {
    const auto batch = workload->next_batch();
    optimizer->zero_grad();
    Tensor total;
    {
      auto losses = workload->losses(batch);
      losses.another_batch = [=] { return workload->losses(workload->next_batch()); };
      losses.same_batch = [=] { return workload->losses(batch); };
      if (method == "raw_sum") {
        total = sum_of(losses);
        total.backward();
        total = total.detach();
      } else {
        total = value_of(losses);
      }
      if (method == "raw_backwards") {
        for (size_t t = 0; t < losses.values.size(); ++t) {
          losses.values[t].backward({}, /*retain_graph=*/t + 1 < losses.values.size());
        }
      } else if (combiner) {
        combiner->backward(losses, *workload->net);
      }
    }
    optimizer->step();
    if (combiner && combiner->wants_losses_after_step()) {
      const torch::NoGradGuard no_grad;
      combiner->after_step(workload->losses(batch));
    }
    return total;
  };
}

std::vector<std::string> method_names() {
  std::vector<std::string> names = {"raw_forward", "raw_sum", "raw_backwards", "engine",
                                    "engine_rows"};
  for (const auto& name : mtl::combiner_names()) names.emplace_back(name);
  return names;
}

}  // namespace benchmarks
