#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>

#include "catch.hpp"
#include "device.hpp"
#include "problem.hpp"

using torch::Tensor;

namespace {

/// One of the two runs that are compared: a net and a combiner on one device.
struct Run {
  torch::Device device;
  torch::ScalarType type;
  mtl::HardSharing model;
  std::unique_ptr<mtl::Combiner> combiner;
  int64_t step = 0, draw = 0;

  Run(const std::string& name, torch::Device where, torch::ScalarType precision)
      : device(where),
        type(precision),
        model(problem_model(where, precision)),
        combiner(mtl::make_combiner(text_of(name), model->tasks())) {}

  mtl::TaskLosses losses_of(const mtl::Batch& batch) {
    return mtl::task_losses(*model, model->forward(batch.inputs), batch);
  }

  /// The gradients that a step leaves, one flat vector [P]; the model stays as it is.
  Tensor gradients() {
    draw = 0;
    for (const Tensor& parameter : model->parameters()) parameter.mutable_grad().reset();
    const mtl::Batch batch = problem_batch(step, 0, device, type);
    mtl::TaskLosses losses = losses_of(batch);
    losses.another_batch = [&] { return losses_of(problem_batch(step, ++draw, device, type)); };
    losses.same_batch = [&] { return losses_of(batch); };
    combiner->backward(losses, *model);
    std::vector<Tensor> gradients;
    for (const Tensor& parameter : model->parameters())
      gradients.push_back(parameter.grad().defined() ? parameter.grad()
                                                     : torch::zeros_like(parameter));
    return flat_on_cpu(gradients);
  }

  /// Plain gradient descent on net and combiner; then what the combiner wants to see, and every
  /// seventh step the end of an epoch.
  void update() {
    {
      const torch::NoGradGuard no_grad;
      for (auto parameter : model->parameters())
        if (parameter.grad().defined()) parameter.sub_(parameter.grad(), 0.02);
      for (auto parameter : combiner->parameters())
        if (parameter.grad().defined()) {
          parameter.sub_(parameter.grad(), 0.02);
          parameter.mutable_grad().reset();
        }
    }
    if (combiner->wants_losses_after_step()) {
      const torch::NoGradGuard no_grad;
      combiner->after_step(losses_of(problem_batch(step, 0, device, type)));
    }
    if (++step % 7 == 0) combiner->end_epoch();
  }

  void follow(const Run& other) {
    const torch::NoGradGuard no_grad;
    const auto from = other.model->parameters();
    auto to = model->parameters();
    for (size_t p = 0; p < to.size(); ++p) to[p].copy_(from[p]);
  }
};

double distance(const Tensor& a, const Tensor& b) {
  const double length = a.norm().item<double>();
  return (a - b).norm().item<double>() / std::max(length, 1e-30);
}

/// Twenty steps on both devices. The nets are made alike before each step, what the combiners keep
/// is not.
void compare(const std::string& name, torch::Device device, torch::ScalarType type,
             double tolerance) {
  Run here(name, torch::kCPU, type), there(name, device, type);
  double worst = 0, longest = 0;
  for (int64_t step = 0; step < 20; ++step) {
    INFO(name << ", step " << step);
    there.follow(here);
    const Tensor expected = here.gradients(), found = there.gradients();
    REQUIRE(expected.isfinite().all().item<bool>());
    longest = std::max(longest, expected.norm().item<double>());
    const double off = distance(expected, found);
    worst = std::max(worst, off);
    CHECK(off <= tolerance);
    here.update();
    there.update();
  }
  CHECK(longest > 0);
  INFO(name << ": what the combiner keeps");
  const mtl::NamedTensors kept = here.combiner->state_dict(), other = there.combiner->state_dict();
  REQUIRE(kept.keys() == other.keys());
  for (const auto& item : kept) {
    INFO(item.key());
    const Tensor a = flat_on_cpu({item.value()}), b = flat_on_cpu({other[item.key()]});
    REQUIRE(a.sizes() == b.sizes());
    const Tensor equal_or_nan =
        (a - b).abs().le(100 * tolerance * (1 + a.abs())) | (a.isnan() & b.isnan());
    CHECK(equal_or_nan.all().item<bool>());
  }
  std::printf("%-14s %-6s largest difference %.1e\n", name.c_str(), torch::toString(type), worst);
}

}  // namespace

TEST_CASE("Every combiner on the device: the CPU's update in double precision") {
  const auto device = test_device();
  if (!device) return;
  for (const std::string& name : mtl::combiner_names())
    compare(name, *device, torch::kDouble, 1e-12);
}

TEST_CASE("Every combiner on the device: the CPU's update in single precision") {
  const auto device = test_device();
  if (!device) return;
  // FAMO learns from the difference that one step makes to a loss, of which rounding is a larger
  // part than of the loss.
  for (const std::string& name : mtl::combiner_names())
    compare(name, *device, torch::kFloat, name == "famo" ? 5e-5 : 1e-5);
}

TEST_CASE("Uniform draws on the device: the CPU's to the bit") {
  const auto device = test_device();
  if (!device) return;
  constexpr uint64_t seed = ~uint64_t{0};
  for (const auto type : {torch::kDouble, torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    const auto like = torch::empty({7, 1001}, type);
    CHECK(mtl::uniforms(seed, like.to(*device)).cpu().equal(mtl::uniforms(seed, like)));
  }
}

TEST_CASE("The engine on the device: rows, products and the rule between them give one Gramian") {
  const auto device = test_device();
  if (!device) return;
  // Wide enough for several chunks and blocks, and with a task that does not reach the first layer.
  torch::manual_seed(1);
  torch::nn::Linear first(300, 500), second(500, 130);
  first->to(*device);
  second->to(*device);
  const auto x = torch::randn({700, 300}).to(*device);
  const auto targets = torch::randn({700, 3}).to(*device);
  const auto gramian_by = [&](mtl::EnginePath path) {
    const auto hidden = first->forward(x).relu();
    const auto out = second->forward(hidden);
    mtl::Engine engine({.path = path});
    std::vector<Tensor> losses;
    for (int64_t t = 0; t < 3; ++t)
      losses.push_back((out.select(1, t) - targets.select(1, t)).square().mean());
    losses.push_back(second->forward(hidden.detach()).square().mean());
    std::vector<Tensor> shared = first->parameters();
    for (const auto& parameter : second->parameters()) shared.push_back(parameter);
    engine.begin(mtl::task_losses(losses), {.shared = shared});
    return Eigen::MatrixXd(engine.gramian());
  };
  const auto rows = gramian_by(mtl::EnginePath::rows);
  CHECK(gramian_by(mtl::EnginePath::products).isApprox(rows, 1e-5));
  CHECK(gramian_by(mtl::EnginePath::automatic).isApprox(rows, 1e-5));
}

TEST_CASE("A forward pass on a stream of its own: the CPU's update") {
  const auto device = test_device();
  if (!device || device->is_cpu()) return;
  const c10::impl::VirtualGuardImpl streams(device->type());
  const auto update = [&](torch::Device where, bool own_stream) {
    Run run("upgrad", where, torch::kDouble);
    const mtl::Batch batch = problem_batch(0, 0, where, torch::kDouble);
    std::optional<c10::Stream> usual;
    if (own_stream) {
      const auto current = streams.getStream(where);
      current.synchronize();
      usual = streams.exchangeStream(streams.getStreamFromGlobalPool(where));
    }
    const mtl::TaskLosses losses = run.losses_of(batch);
    if (usual) streams.exchangeStream(*usual).synchronize();
    run.combiner->backward(losses, *run.model);
    std::vector<Tensor> gradients;
    for (const Tensor& parameter : run.model->parameters()) gradients.push_back(parameter.grad());
    return flat_on_cpu(gradients);
  };
  CHECK(distance(update(torch::kCPU, false), update(*device, true)) <= 1e-12);
}

TEST_CASE("Convolutions and recurrent layers on the device: the CPU's update") {
  const auto device = test_device();
  if (!device) return;
  const auto model_on = [](torch::Device where, bool pictures) {
    torch::manual_seed(3);
    mtl::TaskRegistry tasks;
    for (const char* name : {"a", "b"})
      tasks.add(
          {.name = name, .head = mtl::nn::LinearHead(16, 1), .loss = mtl::MeanSquaredError{}});
    mtl::Encoder encoder =
        pictures
            ? mtl::Encoder(mtl::nn::CnnEncoder({.input_channels = 3, .channels = {8, 16}}))
            : mtl::Encoder(mtl::nn::LstmEncoder({.input_size = 5, .hidden_size = 16, .layers = 2}));
    mtl::HardSharing model(std::move(encoder), tasks);
    model->to(where, torch::kDouble);
    return model;
  };
  for (const bool pictures : {true, false}) {
    for (const char* name : {"upgrad", "graddrop", "kendall"}) {
      INFO((pictures ? "CnnEncoder " : "LstmEncoder ") << name);
      auto generator = mtl::make_generator(5);
      const Tensor x = pictures ? torch::randn({6, 3, 16, 16}, generator, torch::kDouble)
                                : torch::randn({6, 7, 5}, generator, torch::kDouble);
      const Tensor y = torch::randn({6, 2}, generator, torch::kDouble);
      std::vector<Tensor> updates;
      for (const auto where : {torch::Device(torch::kCPU), *device}) {
        auto model = model_on(where, pictures);
        const auto combiner = mtl::make_combiner(name, model->tasks());
        mtl::Batch batch;
        batch.inputs.insert("x", x.to(where));
        batch.targets.insert("a", y.select(1, 0).to(where));
        batch.targets.insert("b", y.select(1, 1).to(where));
        combiner->backward(mtl::task_losses(*model, model->forward(batch.inputs), batch), *model);
        std::vector<Tensor> gradients;
        for (const Tensor& parameter : model->parameters()) gradients.push_back(parameter.grad());
        updates.push_back(flat_on_cpu(gradients));
      }
      CHECK(distance(updates[0], updates[1]) <= 1e-12);
    }
  }
}
