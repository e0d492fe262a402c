#include "mtl/deploy/description.hpp"

#include <c10/util/Type.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "json_fields.hpp"
#include "mtl/core/random.hpp"
#include "mtl/deploy/kinds/around.hpp"
#include "mtl/deploy/kinds/attention.hpp"
#include "mtl/deploy/kinds/branched.hpp"
#include "mtl/deploy/kinds/cnn.hpp"
#include "mtl/deploy/kinds/cross_stitch.hpp"
#include "mtl/deploy/kinds/dselect_k.hpp"
#include "mtl/deploy/kinds/efficientnet_lite.hpp"
#include "mtl/deploy/kinds/ensemble.hpp"
#include "mtl/deploy/kinds/film.hpp"
#include "mtl/deploy/kinds/hard_sharing.hpp"
#include "mtl/deploy/kinds/learned_branching.hpp"
#include "mtl/deploy/kinds/low_rank_updates.hpp"
#include "mtl/deploy/kinds/mixture_of_experts.hpp"
#include "mtl/deploy/kinds/mlp.hpp"
#include "mtl/deploy/kinds/multi_task_attention.hpp"
#include "mtl/deploy/kinds/progressive_layered_extraction.hpp"
#include "mtl/deploy/kinds/recurrent.hpp"
#include "mtl/deploy/kinds/sequence_heads.hpp"
#include "mtl/deploy/kinds/sluice.hpp"
#include "mtl/deploy/kinds/soft_sharing.hpp"
#include "mtl/deploy/kinds/task_adapters.hpp"
#include "mtl/deploy/kinds/torch_layers.hpp"
#include "mtl/io/excerpt.hpp"
#include "mtl/io/json_member.hpp"
#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

using io::Json;

/// "MyHead" of "(anonymous namespace)::MyHeadImpl": what a class is called in every program.
std::string class_name(const torch::nn::Module& module) {
  std::string name = c10::demangle(typeid(module).name());
  name.erase(std::min(name.find('<'), name.size()));
  if (const auto at = name.rfind(':'); at != std::string::npos) name.erase(0, at + 1);
  if (name.ends_with("Impl") && name.size() > 4) name.resize(name.size() - 4);
  return name;
}

class Describer {
 public:
  explicit Describer(const Kinds& kinds) : kinds_(kinds) {}

  Json of(const torch::nn::Module& module) const {
    Json description = {{"kind", ""}};
    for (const auto* list : {&kinds_.described(), &deploy_detail::own_kinds()})
      for (const Kind& kind : *list) {
        Writer writer(description, *this);
        if (!kind.describe(module, writer)) continue;
        description["kind"] = kind.name;
        if (const auto* model = dynamic_cast<const Model*>(&module); model && !kind.is_around)
          description["heads"] = heads_of(*model);
        return description;
      }
    return of_unknown(module);
  }

  Json children_of(const torch::nn::Module& module) const {
    Json parts = Json::object();
    for (const auto& item : module.named_children())
      parts[item.key()] = item.value() ? of_child(*item.value()) : Json();
    return parts;
  }

 private:
  struct Writer : deploy_detail::FieldWriter {
    Writer(Json& object, const Describer& parts) : FieldWriter(object), describer(parts) {}
    Json describe(const torch::nn::Module& module, const std::string&) override {
      return describer.of(module);
    }
    const Describer& describer;
  };

  Json heads_of(const Model& model) const {
    Json heads = Json::object();
    for (const Task& task : model.tasks())
      heads[task.name] = task.head ? of(*task.head.module()) : Json();
    return heads;
  }

  /// In a module of one's own, which its maker makes, a layer may have options that no kind knows.
  Json of_child(const torch::nn::Module& module) const {
    try {
      return of(module);
    } catch (const Error&) {
      return of_unknown(module);
    }
  }

  Json of_unknown(const torch::nn::Module& module) const {
    Json description = {{"kind", class_name(module)}, {"own", true}};
    // What only holds others needs no code: a folder of modules, torch's lists and dictionaries.
    if (typeid(module) == typeid(torch::nn::Module) || description["kind"] == "ModuleList" ||
        description["kind"] == "ModuleDict")
      return {{"kind", "Parts"}, {"own", true}, {"parts", children_of(module)}};
    description["parts"] = children_of(module);
    // Of all that it holds: from these shapes a maker takes its sizes.
    const auto shapes = [](const auto& tensors) {
      Json all = Json::object();
      for (const auto& item : tensors)
        if (item.value().defined()) all[item.key()] = item.value().sizes().vec();
      return all;
    };
    description["weights"] = shapes(module.named_parameters());
    description["buffers"] = shapes(module.named_buffers());
    return description;
  }

  const Kinds& kinds_;
};

/// What `make` makes, with the place in the errors of torch and of memory.
template <class Make>
auto guarded(const std::string& place, const std::string& name, const Make& make) {
  try {
    return make();
  } catch (const c10::Error& error) {
    std::string text = error.what_without_backtrace();
    throw Error("{}: {} cannot be made: {}", place, name, text.substr(0, text.find('\n')));
  } catch (const std::bad_alloc&) {
    throw Error("{}: {} cannot be made: there is no memory for it", place, name);
  }
}

class Maker {
 public:
  Maker(const Kinds& kinds, const NamedTensors& weights, std::vector<Task> tasks)
      : kinds_(kinds), tasks_(std::move(tasks)) {
    for (const auto& item : weights) room_ += static_cast<double>(item.value().numel());
  }

  nn::Layer layer(const Json& description, const std::string& place) const {
    const std::string name = kind_name(description, place);
    if (const Kind* kind = find(name)) {
      if (!kind->make) throw Error("{}: {} is a model, expected an encoder or a head", place, name);
      Reader reader(description, place, *this);
      return guarded(place, name, [&] { return kind->make(reader, room_); });
    }
    const auto* make = kinds_.maker(name);
    if (make == nullptr)
      throw Error(
          "{} is of kind {}, which is none of the library's. Say how it is made: "
          "mtl::Kinds().add(\"{}\", [] {{ return {}(...); }})",
          place, name, name, name);
    return guarded(place, name, [&] {
      nn::Layer made = (*make)(own_part(description, name, place));
      if (!made) throw Error("the maker of kind {} gave nothing", name);
      return made;
    });
  }

  /// The model, its weights still to come.
  std::shared_ptr<Model> model(const Json& description) const {
    auto made = model(description, "the model");
    const bool all =
        std::equal(tasks_.begin(), tasks_.end(), made->tasks().begin(), made->tasks().end(),
                   [](const Task& given, const Task& has) { return given.name == has.name; });
    if (!all) throw_heads("the model");
    return made;
  }

 private:
  struct Reader : deploy_detail::FieldReader {
    Reader(const Json& object, const std::string& place, const Maker& parts)
        : FieldReader(object, place), maker(parts) {}
    nn::Layer make(const Json& description, const std::string& place) override {
      return maker.layer(description, place);
    }
    std::shared_ptr<Model> make_model(const Json& description, const std::string& place) override {
      return maker.model(description, place);
    }
    const Maker& maker;
  };

  std::shared_ptr<Model> model(const Json& description, const std::string& place) const {
    const std::string name = kind_name(description, place);
    const Kind* kind = description.contains("own") ? nullptr : find(name);
    if (kind == nullptr || !kind->make_model)
      throw Error(
          "{} is of kind {}, which is no way of sharing of the library's. Make one as it was made "
          "for the training, and load into it",
          place, name);
    TaskRegistry registry;
    if (kind->is_around)  // which takes those that it adds; the others are the model's within
      for (const Task& task : tasks_) registry.add(task);
    else
      registry = with_heads(description, place);
    Reader reader(description, place, *this);
    return guarded(place, name, [&] { return kind->make_model(reader, registry, room_); });
  }

  /// Those tasks that have a head in the description.
  TaskRegistry with_heads(const Json& description, const std::string& place) const {
    const auto heads = description.find("heads");
    if (heads == description.end() || !heads->is_object()) throw_heads(place);
    TaskRegistry registry;
    const std::string prefix = place == "the model" ? "heads." : place + ".heads.";
    for (Task task : tasks_)
      if (const auto head = heads->find(task.name); head != heads->end()) {
        task.head = layer(*head, prefix + task.name);
        registry.add(std::move(task));
      }
    if (static_cast<size_t>(registry.size()) != heads->size()) throw_heads(place);
    return registry;
  }

  [[noreturn]] void throw_heads(const std::string& place) const {
    throw Error("{}: expected \"heads\" with one head for each of {} tasks", place, tasks_.size());
  }

  static std::string kind_name(const Json& description, const std::string& place) {
    const auto kind = description.is_object() ? description.find("kind") : description.end();
    if (!description.is_object() || kind == description.end() || !kind->is_string())
      throw Error("{}: found {}, expected an object with a \"kind\"", place,
                  io::excerpt(io::json_text(description, -1)));
    return io::excerpt(kind->get<std::string>());
  }

  const Kind* find(const std::string& name) const {
    for (const auto* list : {&kinds_.described(), &deploy_detail::own_kinds()})
      for (const Kind& kind : *list)
        if (kind.name == name) return &kind;
    return nullptr;
  }

  /// A maker takes its sizes from these shapes: they are those of tensors in the file.
  OwnPart own_part(const Json& description, const std::string& kind,
                   const std::string& place) const {
    OwnPart part{kind, place, {}};
    for (const char* list : {"weights", "buffers"}) {
      const auto found = description.find(list);
      if (found == description.end()) continue;
      for (const auto& item : found->items()) {
        auto& shape = part.shapes[item.key()] =
            io::json_member<std::vector<int64_t>>(*found, item.key(), place + "." + list);
        double count = 1;
        for (const int64_t size : shape) {
          if (size < 0)
            throw Error("{}.{}: \"{}\" has a size of {}", place, list, item.key(), size);
          count *= static_cast<double>(size);
        }
        deploy_detail::take_room(count, room_, kind);
      }
    }
    return part;
  }

  const Kinds& kinds_;
  std::vector<Task> tasks_;
  mutable double room_ = 0;  // numbers in the file that no part has asked for yet
};

/// What was computed in double precision is so again, where a float may hold neither the digits nor
/// the size. (Shorter types become float: not every device computes with them.)
void keep_double(Model& model, const NamedTensors& weights) {
  const auto widen = [&](const NamedTensors& tensors) {
    for (const auto& item : tensors) {
      const Tensor* value = weights.find(item.key());
      if (value != nullptr && value->scalar_type() == at::kDouble &&
          item.value().is_floating_point())
        Tensor(item.value()).set_data(item.value().detach().to(at::kDouble));
    }
  };
  widen(model.named_parameters());
  widen(model.named_buffers());
}

}  // namespace

namespace deploy_detail {

const std::vector<Kind>& own_kinds() {
  static const std::vector<Kind> kinds = {kind_of<MlpKind>(),
                                          kind_of<LstmKind>(),
                                          kind_of<GruKind>(),
                                          kind_of<CnnKind>(),
                                          kind_of<EfficientNetLiteKind>(),
                                          kind_of<AttentionEncoderKind>(),
                                          kind_of<StepHeadKind>(),
                                          kind_of<SummaryHeadKind>(),
                                          kind_of<LinearKind>(),
                                          kind_of<EmbeddingKind>(),
                                          kind_of<ConvKind<1, torch::nn::Conv1dImpl>>(),
                                          kind_of<ConvKind<2, torch::nn::Conv2dImpl>>(),
                                          kind_of<BatchNormKind<1, torch::nn::BatchNorm1dImpl>>(),
                                          kind_of<BatchNormKind<2, torch::nn::BatchNorm2dImpl>>(),
                                          kind_of<GroupNormKind>(),
                                          kind_of<LayerNormKind>(),
                                          kind_of<DropoutKind>(),
                                          kind_of<FlattenKind>(),
                                          kind_of<MaxPool2dKind>(),
                                          kind_of<AvgPool2dKind>(),
                                          kind_of<LeakyReLuKind>(),
                                          kind_of<ReLuKind>(),
                                          kind_of<ReLu6Kind>(),
                                          kind_of<GeluKind>(),
                                          kind_of<SiluKind>(),
                                          kind_of<TanhKind>(),
                                          kind_of<SigmoidKind>(),
                                          kind_of<IdentityKind>(),
                                          kind_of<SequentialKind<torch::nn::SequentialImpl>>(),
                                          kind_of<SequentialKind<StepsImpl>>(),
                                          kind_of<HardSharingKind>(),
                                          kind_of<BranchedKind>(),
                                          kind_of<SoftSharingKind>(),
                                          kind_of<CrossStitchKind>(),
                                          kind_of<SluiceKind>(),
                                          kind_of<MixtureOfExpertsKind>(),
                                          kind_of<ProgressiveLayeredExtractionKind>(),
                                          kind_of<MultiTaskAttentionKind>(),
                                          kind_of<DSelectKKind>(),
                                          kind_of<LearnedBranchingKind>(),
                                          kind_of<FilmKind>(),
                                          kind_of<TaskAdaptersKind>(),
                                          kind_of<LowRankUpdatesKind>(),
                                          kind_of<JoinedInputsKind>(),
                                          kind_of<DerivedTasksKind>(),
                                          kind_of<EnsembleKind>(),
                                          kind_of<SequenceEndsKind>()};
  return kinds;
}

}  // namespace deploy_detail

Json model_description(const Model& model, const Kinds& kinds) {
  return Describer(kinds).of(model);
}

std::shared_ptr<Model> make_model(const Json& description, const NamedTensors& weights,
                                  std::vector<Task> tasks, const Kinds& kinds) {
  const KeepGenerator keep;
  auto model = Maker(kinds, weights, std::move(tasks)).model(description);
  keep_double(*model, weights);
  nn::load_weights(*model, weights);
  model->eval();
  return model;
}

}  // namespace mtl
