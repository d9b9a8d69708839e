__version__ = "0.2.0"

from importlib import import_module

from gymnasium import register

register('MarioRL-v0', entry_point='mario_rl.game.wrappers:MarioEnv')

FRONT_DOOR = { # name -> the module that is loaded when the name is first used
    'make_env': 'game.wrappers',
    'LEVELS': 'core',
    'UserError': 'core',
    'pretrained': 'play.evaluate',
    'load_agent': 'play.evaluate',
    'random_agent': 'play.evaluate',
    'evaluate': 'play.evaluate',
    'show_play': 'play.watch',
    'FrameStore': 'replay.store',
    'Replay': 'replay.prioritized',
    'WorldModel': 'world_model.model',
    'world_model_report': 'world_model.probes',
    'collect': 'world_model.probes',
    'Learner': 'agent.learner',
    'TrainConfig': 'config.settings',
    'train': 'training.train',
    'read_csv': 'training.run_folder',
    'plot_run': 'training.plots',
    'DreamEnv': 'dream.env',
    'SideBySide': 'dream.env',
    'play_in_dream': 'dream.widgets',
    'scrub': 'dream.widgets',
    'turn_latent': 'dream.widgets',
    'what_if': 'dream.widgets',
}
__all__ = list(FRONT_DOOR)


def __getattr__(name):
    if name not in FRONT_DOOR:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{FRONT_DOOR[name]}'), name)


def __dir__(): return sorted({*globals(), *FRONT_DOOR})
