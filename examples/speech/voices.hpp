#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include "mtl/mtl.hpp"

namespace speech {

/// A sound: what shapes it (formants of a man's tract in Hz), and what excites it.
struct Phone {
  char letter;
  double seconds;
  std::array<double, 3> formants;
  double voice, noise;  ///< loudness
};

/// Label k is phone k - 1, 0 the blank of CTC. The space is a short silence; five vowels are last.
inline constexpr std::array<Phone, 11> phones = {{{' ', .09, {500, 1500, 2500}, 0, 0},
                                                  {'m', .07, {250, 1000, 2200}, .4, 0},
                                                  {'n', .07, {250, 1500, 2500}, .4, 0},
                                                  {'l', .07, {350, 1050, 2800}, .6, 0},
                                                  {'s', .10, {2900, 3300, 3700}, 0, .5},
                                                  {'f', .09, {1300, 2300, 3400}, 0, .25},
                                                  {'a', .11, {730, 1150, 2450}, 1, .02},
                                                  {'e', .10, {530, 1840, 2480}, 1, .02},
                                                  {'i', .09, {280, 2250, 2900}, 1, .02},
                                                  {'o', .11, {500, 880, 2400}, 1, .02},
                                                  {'u', .10, {310, 800, 2250}, 1, .02}}};
inline char letter_of(int64_t label) { return phones[static_cast<size_t>(label - 1)].letter; }
inline constexpr int64_t consonants = 5, vowels = 5, speakers = 10, bands = 32;
inline constexpr double rate = 8000;  // samples a second

/// Says invented words in the voices of ten speakers, who differ in pitch and in the length of the
/// tract, by which all formants move; none is at the same pitch each time. Same seed, same speech.
class Studio {
 public:
  explicit Studio(uint64_t seed) : random_(seed) {}
  /// The next `count` recordings: "frames" [L, bands], one in 12.5 ms; "words", known of the first
  /// `transcribed`; "speaker", known of the first `named`.
  std::vector<mtl::Sample> samples(int64_t count, int64_t transcribed, int64_t named) {
    std::vector<mtl::Sample> samples;
    for (int64_t n = 0; n < count; ++n) {
      std::vector<int64_t> text;
      const int64_t words = 2 + draw(2), speaker = draw(speakers);
      for (int64_t syllable = 0; syllable < 2 * words; ++syllable) {
        if (syllable > 0 && syllable % 2 == 0) text.push_back(1);
        text.push_back(2 + draw(consonants));
        text.push_back(2 + consonants + draw(vowels));
      }
      const mtl::Tensor labels = torch::tensor(text);
      samples.push_back(
          {{{"frames", frames_of(said(text, static_cast<double>(speaker)))}},
           {{"words", n < transcribed ? labels : torch::full_like(labels, mtl::missing_class)},
            {"speaker", torch::tensor(n < named ? speaker : mtl::missing_class)}}});
    }
    return samples;
  }

 private:
  int64_t draw(size_t below) { return static_cast<int64_t>(random_() % below); }
  double uniform() { return static_cast<double>(random_() >> 11) / 9007199254740992.0; }
  /// Pulses and noise through three resonators, whose frequencies glide from sound to sound.
  std::vector<float> said(const std::vector<int64_t>& text, double speaker) {
    const double pitch = 90 * std::pow(2.4, speaker / 9) * (0.88 + 0.24 * uniform());
    const double tract = 0.86 + std::fmod(7 * speaker, 10) / 30, pace = 0.8 + 0.4 * uniform();
    std::array<double, 3> formants = phones[0].formants, last{}, before{};
    double voice = 0, breath = 0, phase = 0, pulse = 0;
    std::vector<float> signal;
    for (const int64_t label : text) {
      const Phone& phone = phones[static_cast<size_t>(label - 1)];
      const double seconds = phone.seconds * pace * (0.8 + 0.4 * uniform());
      for (double n = 0; n < rate * seconds; ++n) {
        voice += 0.01 * (phone.voice - voice);
        breath += 0.01 * (phone.noise - breath);
        phase += pitch / rate;
        pulse = phase >= 1 ? 1 : 0.9 * pulse;
        phase -= std::floor(phase);
        double x = 4 * voice * pulse + breath * (2 * uniform() - 1);
        for (size_t f = 0; f < 3; ++f) {
          formants[f] += 0.005 * (phone.formants[f] / tract - formants[f]);
          const double r = std::exp(-std::numbers::pi * (60 + 0.04 * formants[f]) / rate);
          const double c = 2 * r * std::cos(2 * std::numbers::pi * formants[f] / rate);
          x = (1 - c + r * r) * x + c * last[f] - r * r * before[f];
          before[f] = std::exchange(last[f], x);
        }
        signal.push_back(static_cast<float>(x + 0.06 * (uniform() - 0.5)));
      }
    }
    return signal;
  }

  /// The logarithms of energies in bands whose centres lie evenly on the mel scale: [L, bands].
  static mtl::Tensor frames_of(const std::vector<float>& signal) {
    const mtl::Tensor pieces = torch::tensor(signal).unfold(0, 256, 100) * torch::hann_window(256);
    const mtl::Tensor energies = torch::fft_rfft(pieces).abs().square();
    const mtl::Tensor mel = (1 + torch::linspace(0, rate / 2, 129) / 700).log().unsqueeze(1);
    const mtl::Tensor place = mel / mel.max() * (bands + 1);
    const mtl::Tensor filters = (1 - (place - torch::arange(1, bands + 1)).abs()).clamp_min(0);
    return (energies.matmul(filters) + 1e-3).log() / 3;
  }
  std::mt19937_64 random_;
};

}  // namespace speech
