// Writes the path of every method over one small problem, from which the documentation draws a
// picture for each:
//     mtl_method_paths > docs/method_paths.csv
#include <fmt/core.h>
#include <torch/torch.h>

#include <cmath>

#include "mtl/combine/combine.hpp"
#include "mtl/data/data.hpp"
#include "mtl/sharing/sharing.hpp"
#include "mtl/task/tasks.hpp"
#include "mtl/train/train.hpp"

namespace {

/// A loss over the plane: scale (k1 u^2 + k2 v^2) / 2 + .05, u and v the way from its minimum along
/// axes turned by `angle` degrees.
struct Bowl {
  double x, y, k1, k2, angle, scale;
};

/// Two tasks that conflict, one of them five times as loud; for methods that need more, four that
/// nearly agree and one that does not.
const std::vector<Bowl> two = {{-1.5, -1.0, 0.3, 1.2, 20, 1}, {1.5, -0.6, 1.2, 0.3, 15, 5}};
const std::vector<Bowl> five = {{-1.6, -0.9, 1, 1, 0, 1},
                                {-0.8, -1.3, 1, 1, 0, 1},
                                {-1.0, -0.4, 1, 1, 0, 1},
                                {-0.4, -0.8, 1, 1, 0, 1},
                                {2.2, 1.6, 1, 1, 0, 3}};
const std::vector<std::array<double, 2>> starts = {{-2.2, 1.6}, {0.2, 2.0}, {2.3, 0.9}};

/// The point [2] that all tasks share, whatever the input is.
struct PointImpl : torch::nn::Module {
  explicit PointImpl(std::array<double, 2> start)
      : at(register_parameter("at", torch::tensor({start[0], start[1]}, torch::kDouble))) {}
  mtl::Tensor forward(const mtl::Tensor& input) { return at.expand({input.size(0), 2}); }
  mtl::Tensor at;
};
TORCH_MODULE(Point);

mtl::TaskRegistry tasks_of(const std::vector<Bowl>& bowls) {
  mtl::TaskRegistry tasks;
  for (size_t t = 0; t < bowls.size(); ++t) {
    const Bowl bowl = bowls[t];
    const auto value = [bowl](const mtl::Tensor& x, const mtl::Tensor&) {
      const double turn = bowl.angle * M_PI / 180;
      const mtl::Tensor dx = x.select(1, 0) - bowl.x, dy = x.select(1, 1) - bowl.y;
      const mtl::Tensor u = std::cos(turn) * dx + std::sin(turn) * dy;
      const mtl::Tensor v = std::cos(turn) * dy - std::sin(turn) * dx;
      return bowl.scale * (bowl.k1 * u.square() + bowl.k2 * v.square()) / 2 + 0.05;
    };
    tasks.add({.name = fmt::format("task {}", t + 1),
               .head = torch::nn::Identity(),
               .loss = value,
               .target = "target"});
  }
  return tasks;
}

void write_path(const std::string& method, const std::vector<Bowl>& bowls,
                std::array<double, 2> start) {
  constexpr int64_t epochs = 16, steps = 50;
  torch::manual_seed(1);
  const Point point(start);
  mtl::HardSharing model(point, tasks_of(bowls));
  mtl::TensorDataset nothing({{"x", torch::zeros({steps, 1})}},
                             {{"target", torch::zeros({steps})}});
  mtl::BatchLoader loader(nothing, {.batch_size = 1});
  torch::optim::Adam adam(model->parameters(), 1e-2);
  std::string line = method;
  int64_t count = 0;
  const auto put = [&] {
    const mtl::Tensor at = point->at.detach();
    line += fmt::format(",{:.2f} {:.2f}", at[0].item<double>(), at[1].item<double>());
  };
  struct Record {
    const std::function<void()>& step;
    void on_step_end(mtl::TrainState&) { step(); }
  };
  put();
  const std::function<void()> each = [&] {
    if (++count % 16 == 0) put();
  };
  mtl::Trainer trainer(model, adam, mtl::make_combiner(method, model->tasks()), {.epochs = epochs});
  trainer.fit(loader, Record{each});
  fmt::print("{}\n", line);
}

bool walks(const std::string& method, const std::vector<Bowl>& bowls) {
  try {
    write_path(method, bowls, starts[0]);
  } catch (const mtl::Error&) {
    return false;
  }
  for (size_t s = 1; s < starts.size(); ++s) write_path(method, bowls, starts[s]);
  return true;
}

void write_bowls(const char* name, const std::vector<Bowl>& bowls) {
  for (const Bowl& bowl : bowls)
    fmt::print("# {},{:g},{:g},{:g},{:g},{:g},{:g}\n", name, bowl.x, bowl.y, bowl.k1, bowl.k2,
               bowl.angle, bowl.scale);
}

}  // namespace

int main() try {
  torch::set_num_threads(1);
  write_bowls("two", two);
  write_bowls("five", five);
  for (const std::string& name : mtl::combiner_names()) {
    const std::string method = name == "fixed" ? "fixed:weights=1/0.2" : name;
    if (!walks(method, two) && !walks(method, five)) {
      fmt::print(stderr, "{} takes neither two tasks nor five\n", method);
      return 1;
    }
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
