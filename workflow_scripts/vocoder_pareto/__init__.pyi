from vocoder_pareto.analysis.front_of_table import front_of_file as front_of_file
from vocoder_pareto.analysis.front_of_table import front_of_frame as front_of_frame
from vocoder_pareto.analysis.front_of_table import write_front as write_front
from vocoder_pareto.analysis.fronts import Front as Front
from vocoder_pareto.analysis.fronts import Objectives as Objectives
from vocoder_pareto.errors import UserError as UserError
from vocoder_pareto.measurement.energy_meter import EnergyMeter as EnergyMeter
from vocoder_pareto.measurement.energy_meter import MeteredWindow as MeteredWindow
from vocoder_pareto.measurement.of_callable import Measurement as Measurement
from vocoder_pareto.measurement.of_callable import measure as measure
from vocoder_pareto.models.adapters import MelVocoder as MelVocoder
from vocoder_pareto.models.adapters import WaveformCodec as WaveformCodec
from vocoder_pareto.models.vocoder import Vocoder as Vocoder
from vocoder_pareto.quality.metrics import metric as metric

__version__: str
__all__: list[str]
