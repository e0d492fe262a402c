#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/core/random.hpp"
#include "some_models.hpp"

namespace {

struct OwnHeadImpl : torch::nn::Module {
  explicit OwnHeadImpl(int64_t in) : linear(register_module("linear", torch::nn::Linear(in, 1))) {}
  torch::Tensor forward(const torch::Tensor& x) { return linear->forward(x); }
  torch::nn::Linear linear;
};
TORCH_MODULE(OwnHead);

struct RemadeHeadImpl : OwnHeadImpl {
  explicit RemadeHeadImpl(int64_t in) : OwnHeadImpl(in), in_(in) {}
  int64_t options() const { return in_; }
  int64_t in_;
};
TORCH_MODULE(RemadeHead);

/// A layer of complex weights.
struct SpectralHeadImpl : torch::nn::Module {
  explicit SpectralHeadImpl(int64_t in)
      : weight(register_parameter("weight", torch::randn({in, 1}, torch::kComplexFloat))) {}
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::real(x.to(torch::kComplexFloat).matmul(weight));
  }
  int64_t options() const { return weight.size(0); }
  torch::Tensor weight;
};
TORCH_MODULE(SpectralHead);

/// Classes that add something to one that says how it is copied.
struct DoubledLinearImpl : torch::nn::LinearImpl {
  using LinearImpl::LinearImpl;
  torch::Tensor forward(const torch::Tensor& x) { return 2 * LinearImpl::forward(x); }
};
TORCH_MODULE(DoubledLinear);

struct DoubledImpl : mtl::HardSharingImpl {
  using HardSharingImpl::HardSharingImpl;
  mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override {
    mtl::NamedTensors predictions = HardSharingImpl::forward(inputs);
    for (auto& item : predictions) item.value() = 2 * item.value();
    return predictions;
  }
};

mtl::TaskRegistry one_task(mtl::Head head) {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .head = std::move(head), .loss = squared_error});
  return tasks;
}

/// The clone answers like the original, keeps its frozen parameters and modes, and goes its own
/// way.
template <class Holder>
void check_clone(Holder model, const torch::Tensor& x) {
  model->eval();
  model->parameters().front().set_requires_grad(false);
  const auto state = mtl::default_generator_state();
  Holder copy = mtl::clone(model);
  CHECK(mtl::default_generator_state().equal(state));
  CHECK(same_weights(*model, *copy));
  CHECK_FALSE(copy->is_training());
  CHECK_FALSE(copy->parameters().front().requires_grad());
  CHECK(copy->parameters().back().requires_grad());
  CHECK(copy->forward({{"x", x}})["a"].equal(model->forward({{"x", x}})["a"]));
  const auto before = mtl::nn::cloned(mtl::nn::weights(*model));
  move_weights(*copy);
  for (const auto& item : before) CHECK(mtl::nn::weights(*model)[item.key()].equal(item.value()));
}

}  // namespace

TEST_CASE("clone: an independent model with the same weights, for every way of sharing") {
  const auto x = torch::randn({3, 2});
  check_clone(mtl::HardSharing(layer(2, 4), three_tasks(4)), x);
  check_clone(mtl::HardSharing(layer(2, 4), three_tasks(4), "x"), x);
  check_clone(
      mtl::Branched(layer(2, 4), {{layer(4, 5), {"a", "c"}}, {layer(4, 5), {"b"}}}, three_tasks(5)),
      x);
  check_clone(
      mtl::HardSharing(torch::nn::Sequential(torch::nn::Linear(2, 4), torch::nn::BatchNorm1d(4)),
                       three_tasks(4)),
      x);
}

TEST_CASE("clone: every encoder of the library, with its type and modes") {
  const auto check = [](const mtl::Encoder& encoder, const torch::Tensor& x) {
    encoder.module()->to(torch::kDouble);
    const mtl::Encoder copy = mtl::clone(encoder);
    encoder.module()->eval();
    copy.module()->eval();
    CHECK(copy.forward(x.to(torch::kDouble)).equal(encoder.forward(x.to(torch::kDouble))));
  };
  check(layer(3, 4), torch::randn({2, 3}));
  check(mtl::nn::LstmEncoder({.input_size = 3, .hidden_size = 4, .layers = 2, .dropout = 0.5}),
        torch::randn({2, 5, 3}));
  check(mtl::nn::GruEncoder({.input_size = 3, .hidden_size = 4}), torch::randn({2, 5, 3}));
  check(mtl::nn::CnnEncoder({.channels = {8, 8}}), torch::randn({2, 3, 16, 16}));
}

TEST_CASE("clone: tasks get heads of their own; a head that two have in common stays common") {
  const mtl::nn::LinearHead head(4, 1);
  mtl::TaskRegistry tasks = one_task(head);
  tasks.add({.name = "b", .head = head, .loss = squared_error, .target = "a"});
  const mtl::TaskRegistry copies = mtl::clone(tasks);
  REQUIRE(copies.size() == 2);
  CHECK(copies.at("b").target_name() == "a");
  CHECK(copies.at("a").head.module() == copies.at("b").head.module());
  CHECK(copies.at("a").head.module() != head.ptr());
  CHECK(same_weights(*copies.at("a").head.module(), *head));
}

TEST_CASE("clone: a module of one's own is made again from its options, or is an error") {
  const RemadeHead head(4);
  const RemadeHead copy = mtl::clone(head);
  CHECK(copy.ptr() != head.ptr());
  CHECK(same_weights(*copy, *head));
  const auto text = error_text([] { mtl::clone(one_task(OwnHead(4))); });
  CHECK(contains(text, "cannot be copied"));
  CHECK(contains(text, "torch::nn::Cloneable"));
}

TEST_CASE("clone: a layer that stands in two places and would be two is an Error") {
  const torch::nn::Linear twice(4, 4);
  mtl::HardSharing model(torch::nn::Sequential(twice, torch::nn::Tanh(), twice),
                         one_task(mtl::nn::LinearHead(4, 1)));
  const std::string text = error_text([&] { mtl::clone(model); });
  CHECK(contains(text, "\"0.weight\" and \"2.weight\" are one tensor in the module, and two in"));
  CHECK(contains(text, "override clone()"));
}

TEST_CASE("clone: a class that derives from one that can be copied must say how") {
  CHECK(contains(error_text([] { mtl::clone(mtl::Head(DoubledLinear(4, 1))); }),
                 "DoubledLinearImpl cannot be copied: it derives from a class"));
  CHECK(contains(
      error_text([] { mtl::clone(mtl::Head(torch::nn::Sequential(DoubledLinear(4, 1)))); }),
      "DoubledLinearImpl cannot be copied: it derives from a class"));
  CHECK(contains(error_text([] {
                   mtl::clone(mtl::Head(torch::nn::Sequential(torch::nn::ReLU(), RemadeHead(4))));
                 }),
                 "cannot be copied"));
  const DoubledImpl model(layer(2, 4), one_task(mtl::nn::LinearHead(4, 1)));
  CHECK(contains(error_text([&] { mtl::clone(static_cast<const mtl::Model&>(model)); }),
                 "override make_again()"));
  mtl::Task more{.name = "b", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error};
  CHECK(contains(error_text([&] { mtl::add_task(model, more); }), "cannot be changed"));
}

TEST_CASE("clone, add_task, costs: complex weights are weights, frozen ones stay so") {
  for (const bool learns : {true, false}) {
    SpectralHead head(4);
    head->weight.set_requires_grad(learns);
    mtl::HardSharing model(layer(2, 4), one_task(head));
    CHECK(mtl::clone(model)->parameters().back().requires_grad() == learns);
    const auto [larger, kept] = mtl::add_task(
        model, {.name = "b", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
    for (const auto& item : larger->named_parameters())
      CHECK(item.value().requires_grad() == (learns || item.key() != "heads.a.weight"));
    CHECK(mtl::costs(model, {{"x", torch::randn({1, 2})}}).at("a").own_parameters == 12 + 4);
    CHECK(model->parameters().back().requires_grad() == learns);
  }
}

TEST_CASE("clone: a pretrained embedding has weights of its own, and goes its own way") {
  for (const bool freeze : {false, true}) {
    const auto embedding = torch::nn::Embedding::from_pretrained(
        torch::randn({5, 3}), torch::nn::EmbeddingFromPretrainedOptions().freeze(freeze));
    const auto bag = torch::nn::EmbeddingBag::from_pretrained(
        torch::randn({5, 3}), torch::nn::EmbeddingBagFromPretrainedOptions().freeze(freeze));
    const torch::nn::Sequential within(embedding, torch::nn::Flatten());
    const auto tokens = torch::randint(0, 5, {2, 4}, torch::kLong);
    for (const mtl::Encoder& encoder : {mtl::Encoder(embedding), mtl::Encoder(within)}) {
      const auto before = encoder.forward(tokens).detach().clone();
      const mtl::Encoder copy = mtl::clone(encoder), again = mtl::clone(copy);
      CHECK(copy.forward(tokens).equal(before));
      CHECK(copy.module()->parameters()[0].requires_grad() == !freeze);
      move_weights(*copy.module());
      CHECK(copy.forward(tokens).equal(before + 1));
      CHECK(encoder.forward(tokens).equal(before));
      CHECK(again.forward(tokens).equal(before));
    }
    const auto copy = mtl::nn::clone(*bag);
    move_weights(*copy);
    CHECK(copy->weight.equal(bag->weight + 1));
    mtl::HardSharing model(within, one_task(mtl::nn::LinearHead(12, 1)));
    CHECK(same_weights(*model, *mtl::clone(model)));
  }
}

TEST_CASE("clone: options that hold a tensor which the copy takes for its own are an Error") {
  struct Holding : torch::nn::Module {
    explicit Holding(torch::Tensor given)
        : weight(register_parameter("weight", std::move(given))) {}
    torch::Tensor forward(const torch::Tensor& x) { return x * weight; }
    const torch::Tensor& options() const { return weight; }
    torch::Tensor weight;
  };
  const mtl::Encoder holding(std::make_shared<Holding>(torch::ones({2})));
  CHECK(contains(error_text([&] { mtl::clone(holding); }),
                 "\"weight\" of the copy is the module's own tensor"));
}

TEST_CASE("clone: layers of a Sequential keep the names that they were given") {
  using torch::nn::AnyModule;
  mtl::HardSharing model(torch::nn::Sequential(torch::OrderedDict<std::string, AnyModule>{
                             {"first", AnyModule(torch::nn::Linear(2, 4))},
                             {"norm", AnyModule(torch::nn::BatchNorm1d(4))},
                             {"drop", AnyModule(torch::nn::Dropout(0.5))}}),
                         three_tasks(4));
  mtl::freeze(model, "encoder.first");
  auto copy = mtl::clone(model);
  CHECK(same_weights(*model, *copy));
  CHECK_FALSE(copy->named_parameters()["encoder.first.weight"].requires_grad());
  torch::manual_seed(2);
  const auto x = torch::randn({3, 2});
  torch::manual_seed(3);
  const auto expected = model->forward({{"x", x}});
  torch::manual_seed(3);
  CHECK(copy->forward({{"x", x}})["a"].equal(expected["a"]));
  CHECK(mtl::drop_task(model, "b").model->named_parameters().contains("encoder.norm.weight"));
}
