"""Vocoders of which each breaks one demand."""

import random

import numpy as np
import torch
from sound_vocoder import SoundObjective, SoundVocoder
from torch import nn


class TwiceTheSamples(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator).repeat_interleave(2, dim=1)


class SomeSamplesMore(SoundVocoder):
    def generate(self, mel, generator=None):
        return nn.functional.pad(super().generate(mel, generator), (0, 5))


class OneHopShort(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator)[:, : -self.hop_length]


class KeepsItsChannel(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator)[:, None]


class GivesOneOfABatch(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator)[:1]


class GivesATuple(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator), mel


class GivesAnArray(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator).numpy()


class GivesIntegers(SoundVocoder):
    def generate(self, mel, generator=None):
        return (32767 * super().generate(mel, generator)).short()


class GivesComplexNumbers(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator) + 0j


class FiftyTimesTooLoud(SoundVocoder):
    def generate(self, mel, generator=None):
        return 50 * super().generate(mel, generator)


class OfTheScaleOfIntegers(SoundVocoder):
    def generate(self, mel, generator=None):
        return 32767 * super().generate(mel, generator)


class GivesNaN(SoundVocoder):
    def generate(self, mel, generator=None):
        return torch.log(super().generate(mel, generator))


class DrawsByPyTorch(SoundVocoder):
    def generate(self, mel, generator=None):
        audio = self(mel)
        return audio + 0.01 * torch.rand_like(audio)


class DrawsByNumPy(SoundVocoder):
    def generate(self, mel, generator=None):
        return (self(mel) + 0.01 * np.random.rand()).clamp(-1, 1)


class DrawsByPython(SoundVocoder):
    def generate(self, mel, generator=None):
        return (self(mel) + 0.01 * random.random()).clamp(-1, 1)


class KeepsState(SoundVocoder):
    calls = 0

    def generate(self, mel, generator=None):
        self.calls += 1
        return super().generate(mel, generator) / self.calls


class NormalisesOverTheBatch(SoundVocoder):
    def generate(self, mel, generator=None):
        audio = super().generate(mel, generator)
        return audio / audio.abs().max()


class ChangesItsInput(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel.mul_(0.5), generator)


class HidesAWeight(SoundVocoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.hidden = torch.rand(1)

    def generate(self, mel, generator=None):
        return self.hidden * super().generate(mel, generator)


class HidesAWeightInAList(HidesAWeight):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.hidden = [self.hidden]

    def generate(self, mel, generator=None):
        return self.hidden[0] * SoundVocoder.generate(self, mel, generator)


class MakesTensorsOnTheProcessor(SoundVocoder):
    def generate(self, mel, generator=None):
        return super().generate(mel, generator) * torch.linspace(0, 1, mel.shape[2] * self.hop_length)


class IsNotPrepared(SoundVocoder):
    def prepare_for_inference(self):
        return self.eval()


class StaysInTraining(SoundVocoder):
    def prepare_for_inference(self):
        return super().prepare_for_inference().train()


class ChangesWhenPrepared(SoundVocoder):
    def prepare_for_inference(self):
        self.level.mul_(0.5)
        return super().prepare_for_inference()


class IsAnotherOnePlainly(SoundVocoder):
    def generate_plainly(self, mel, generator=None):
        return 0.9 * super().generate_plainly(mel, generator)


class SeesFartherThanItSays(SoundVocoder):
    def context_frames(self):
        return 0


class SharesWeightsWithCopies(SoundVocoder):
    def __deepcopy__(self, memo):
        copy = type(self)(self.architecture, None, self.n_mels, self.hop_length)
        for name, weight in self.named_parameters():
            copy.get_parameter(name).data = weight.data
        copy.level.copy_(self.level)
        return copy


class IsBuiltByNumPy(SoundVocoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.level.fill_(np.random.rand())


class BeginsWithNaN(SoundVocoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.layer.bias.data[0] = float("nan")


class TakesAllThreads(SoundVocoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        torch.set_num_threads(torch.get_num_threads() + 1)


class HasAFault(SoundVocoder):
    def generate(self, mel, generator=None):
        return self.no_such_layer(mel)


class CannotBeBuilt(SoundVocoder):
    def __init__(self, *arguments, **options):
        raise ValueError("no such thing")


class NoVocoder(nn.Module):
    pass


class LeavesAWeightAlone(SoundVocoder):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.unused = nn.Parameter(torch.zeros(2))


class LearnsNothing(SoundObjective):
    def optimizer(self, turn):
        return torch.optim.SGD(self.vocoder.parameters(), lr=0.0)


class LossOfManyNumbers(SoundObjective):
    def loss(self, turn, batch):
        return (self.vocoder(batch.mel) - batch.audio).abs(), {}


class KeepsGradients(SoundObjective):
    def loss(self, turn, batch):
        loss, _ = super().loss(turn, batch)
        return loss, {"loss": loss}
